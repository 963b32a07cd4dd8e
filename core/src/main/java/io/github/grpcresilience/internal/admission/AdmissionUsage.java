package io.github.grpcresilience.internal.admission;

import org.jspecify.annotations.Nullable;

/**
 * How far a limit on calls that run at once is used. Immutable.
 *
 * @param calls all calls; {@code null} if nobody set a number
 * @param unary unary calls against the adaptive limit; {@code null} if there is none
 */
public record AdmissionUsage(@Nullable Use calls, @Nullable Use unary) {

	/**
	 * Use of one limit. Immutable.
	 *
	 * @param inUse calls that run
	 * @param limit most that may run by now
	 */
	public record Use(int inUse, int limit) {
	}

}
