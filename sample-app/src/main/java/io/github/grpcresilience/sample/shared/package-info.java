/**
 * What the three services have in common; it is no part of their component scans.
 */
@NullMarked
package io.github.grpcresilience.sample.shared;

import org.jspecify.annotations.NullMarked;
