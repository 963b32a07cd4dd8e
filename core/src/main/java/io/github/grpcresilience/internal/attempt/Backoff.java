package io.github.grpcresilience.internal.attempt;

import java.time.Duration;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;

import io.github.grpcresilience.internal.policy.AttemptPolicy.Retry;
import io.github.grpcresilience.internal.status.PushBack;
import io.github.grpcresilience.internal.status.StatusDetails;

/**
 * How long to wait before another attempt.
 */
final class Backoff {

	private Backoff() {
	}

	/**
	 * The wait that the policy asks for.
	 * @param made attempts that were made, one or more
	 * @param random a number from 0 to 1
	 * @return nanoseconds
	 */
	static long ofPolicy(Retry policy, int made, double random) {
		double wait = Math.min((double) policy.maxBackoffNanos(),
				policy.initialBackoffNanos() * Math.pow(policy.multiplier(), made - 1));
		return (long) (wait * (1 + policy.jitter() * (2 * random - 1)));
	}

	/**
	 * The least wait that the server asks for, by push-back or {@code RetryInfo}.
	 * @param trailers trailers of the failed attempt
	 * @return nanoseconds, zero if it asks for none; {@link PushBack#STOP} for no further
	 * attempt
	 */
	static long askedFor(Metadata trailers) {
		return Math.max(Math.max(0, PushBack.nanos(trailers)), ofDetails(trailers));
	}

	private static long ofDetails(Metadata trailers) {
		if (!StatusDetails.isPresent(trailers)) {
			return 0;
		}
		long nanos = 0;
		for (Any detail : StatusDetails.read(trailers)) {
			if (detail.is(RetryInfo.class)) {
				nanos = Math.max(nanos, nanos(detail));
			}
		}
		return nanos;
	}

	private static long nanos(Any detail) {
		try {
			com.google.protobuf.Duration delay = detail.unpack(RetryInfo.class).getRetryDelay();
			return Duration.ofSeconds(delay.getSeconds(), delay.getNanos()).toNanos();
		}
		catch (InvalidProtocolBufferException ex) {
			return 0; // what nobody can read asks for nothing
		}
		catch (ArithmeticException ex) {
			return PushBack.STOP - 1; // longer than any call lasts
		}
	}

}
