/**
 * What is asked of each method: settings with their origins, merged field by field into
 * one immutable {@link io.github.grpcresilience.policy.MethodPolicy} per method.
 */
@NullMarked
package io.github.grpcresilience.policy;

import org.jspecify.annotations.NullMarked;
