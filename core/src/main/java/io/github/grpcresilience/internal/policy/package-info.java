/**
 * Settings with their origins, merged field by field into one immutable
 * {@link io.github.grpcresilience.internal.policy.MethodPolicy} per method.
 */
@NullMarked
package io.github.grpcresilience.internal.policy;

import org.jspecify.annotations.NullMarked;
