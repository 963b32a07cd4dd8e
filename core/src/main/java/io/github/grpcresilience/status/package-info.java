/**
 * Reasons, as callers read them.
 */
@NullMarked
package io.github.grpcresilience.status;

import org.jspecify.annotations.NullMarked;
