/**
 * What is asked of each method, as one writes it in Java.
 */
@NullMarked
package io.github.grpcresilience.policy;

import org.jspecify.annotations.NullMarked;
