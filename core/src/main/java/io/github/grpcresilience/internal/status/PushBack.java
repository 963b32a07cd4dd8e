package io.github.grpcresilience.internal.status;

import io.grpc.Metadata;

/**
 * What a failed call says about further attempts, by {@code grpc-retry-pushback-ms} (gRFC
 * A6). This library only ever sends that there shall be none: grpc-java takes a time for
 * an order to try again, whatever the code.
 */
public final class PushBack {

	/** What {@link #nanos} says where nothing is said. */
	public static final long NONE = -1;

	/** What {@link #nanos} says where there shall be no further attempt. */
	public static final long STOP = Long.MAX_VALUE;

	private static final Metadata.Key<String> KEY = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final int MOST_DIGITS = 10;

	private PushBack() {
	}

	/**
	 * Reads the time before which there shall be no further attempt.
	 * @param trailers trailers of the failed call
	 * @return nanoseconds, zero or more; {@link #NONE} if nothing is said, {@link #STOP}
	 * if it is negative or no number
	 */
	public static long nanos(Metadata trailers) {
		String value = trailers.get(KEY);
		if (value == null) {
			return NONE;
		}
		if (value.isEmpty() || !value.chars().allMatch((character) -> character >= '0' && character <= '9')) {
			return STOP;
		}
		// More digits are more than a hundred days, which is never worth waiting for.
		return (value.length() <= MOST_DIGITS) ? Long.parseLong(value) * 1_000_000 : STOP;
	}

	/**
	 * Whether there shall be no further attempt.
	 * @param trailers trailers of the failed call
	 * @return {@code true} if they say so
	 */
	public static boolean isStop(Metadata trailers) {
		return nanos(trailers) == STOP;
	}

	/**
	 * Says that there shall be no further attempt.
	 * @param trailers trailers of a failed call, which stay as they are
	 * @return trailers that say so
	 */
	public static Metadata stop(Metadata trailers) {
		Metadata stopped = new Metadata();
		stopped.merge(trailers);
		stopped.discardAll(KEY);
		stopped.put(KEY, "-1");
		return stopped;
	}

}
