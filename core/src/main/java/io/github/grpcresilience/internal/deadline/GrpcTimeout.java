package io.github.grpcresilience.internal.deadline;

/**
 * The value of a {@code grpc-timeout} header: one to eight digits and a unit (gRPC over
 * HTTP/2, "Timeout").
 */
public final class GrpcTimeout {

	private static final int MAX_DIGITS = 8;

	private static final long ONE_SECOND = 1_000_000_000L;

	private GrpcTimeout() {
	}

	/**
	 * Reads a timeout.
	 * @param value digits followed by {@code H}, {@code M}, {@code S}, {@code m},
	 * {@code u} or {@code n}
	 * @return nanoseconds, zero or more; {@code Long.MAX_VALUE} for more than it can hold
	 * @throws IllegalArgumentException if the value is anything else; the message does
	 * not repeat it
	 */
	public static long parseNanos(String value) {
		int digits = value.length() - 1;
		if (digits < 1 || digits > MAX_DIGITS) {
			throw malformed();
		}
		long amount = 0;
		for (int i = 0; i < digits; i++) {
			char digit = value.charAt(i);
			if (digit < '0' || digit > '9') {
				throw malformed();
			}
			amount = amount * 10 + (digit - '0');
		}
		long unit = unitNanos(value.charAt(digits));
		return (amount <= Long.MAX_VALUE / unit) ? amount * unit : Long.MAX_VALUE;
	}

	/**
	 * By how much a timeout may have been rounded up. gRPC's C core, on which Python,
	 * Ruby, PHP and C++ stand, sends three digits, above what its caller has left.
	 * @param nanos what a caller says it has left
	 * @return nanoseconds; up to a hundredth
	 */
	static long roundedUpByNanos(long nanos) {
		if (nanos < ONE_SECOND) {
			return 0; // less than answers take
		}
		long step = ONE_SECOND / 100;
		for (long tens = nanos / (10 * ONE_SECOND); tens > 0; tens /= 10) {
			step *= 10;
		}
		return step;
	}

	private static long unitNanos(char unit) {
		return switch (unit) {
			case 'n' -> 1L;
			case 'u' -> 1_000L;
			case 'm' -> 1_000_000L;
			case 'S' -> 1_000_000_000L;
			case 'M' -> 60_000_000_000L;
			case 'H' -> 3_600_000_000_000L;
			default -> throw malformed();
		};
	}

	private static IllegalArgumentException malformed() {
		return new IllegalArgumentException(
				"grpc-timeout must be 1 to 8 digits and a unit, one of H, M, S, m, u, n; for example 500m");
	}

}
