package io.github.grpcresilience.sample.inventory;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

import io.grpc.Status;
import org.springframework.stereotype.Component;
import shop.v1.Failure;
import shop.v1.Simulation;
import shop.v1.Slowness;

import io.github.grpcresilience.error.GrpcError;

/**
 * Fails the first attempts of a request where its simulation asks for it. Safe for
 * concurrent use; remembers the latest requests only.
 */
@Component
final class SimulatedFailures {

	private static final Duration RETRY_DELAY = Duration.ofMillis(1_500);

	private static final int REMEMBERED_REQUESTS = 1_000;

	private final Map<String, Integer> attempts = new LinkedHashMap<>() {

		@Override
		protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
			return size() > REMEMBERED_REQUESTS;
		}

	};

	/**
	 * Counts one attempt.
	 * @throws GrpcError if it is one that shall fail
	 */
	void check(Simulation wishes) {
		Failure failure = wishes.getFailure();
		if (failure.getService().equals("inventory") && countAttempt(wishes.getRequestId()) <= failure.getAttempts()) {
			Status.Code code = Status.Code.valueOf(failure.getCode());
			GrpcError error = GrpcError.of(code).reason("SIMULATED").message("Failed as the request asked for");
			throw (code == Status.Code.RESOURCE_EXHAUSTED) ? error.retryAfter(RETRY_DELAY) : error;
		}
	}

	/**
	 * How long an attempt takes on top, in milliseconds.
	 */
	static long slowMillis(Simulation wishes) {
		Slowness slowness = wishes.getSlowness();
		boolean slow = slowness.getService().equals("inventory")
				&& ThreadLocalRandom.current().nextDouble() < slowness.getShare();
		return slow ? slowness.getMillis() : 0;
	}

	private int countAttempt(String requestId) {
		synchronized (this.attempts) {
			return this.attempts.merge(requestId, 1, Integer::sum);
		}
	}

}
