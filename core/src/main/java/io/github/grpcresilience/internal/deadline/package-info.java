/**
 * Deadlines of calls: imposed, shortened, passed on with a reserve, and answered before
 * they expire.
 */
@NullMarked
package io.github.grpcresilience.internal.deadline;

import org.jspecify.annotations.NullMarked;
