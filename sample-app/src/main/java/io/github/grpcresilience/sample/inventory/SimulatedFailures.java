package io.github.grpcresilience.sample.inventory;

import java.util.LinkedHashMap;
import java.util.Map;

import io.grpc.Status;
import org.springframework.stereotype.Component;
import shop.v1.Failure;
import shop.v1.Simulation;

/**
 * Fails the first attempts of a request where its simulation asks for it. Safe for
 * concurrent use; remembers the latest requests only.
 */
@Component
final class SimulatedFailures {

	private static final int REMEMBERED_REQUESTS = 1_000;

	private final Map<String, Integer> attempts = new LinkedHashMap<>() {

		@Override
		protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
			return size() > REMEMBERED_REQUESTS;
		}

	};

	/**
	 * Counts one attempt.
	 * @throws io.grpc.StatusRuntimeException if it is one that shall fail
	 */
	void check(Simulation wishes) {
		Failure failure = wishes.getFailure();
		if (failure.getService().equals("inventory") && countAttempt(wishes.getRequestId()) <= failure.getAttempts()) {
			throw Status.Code.valueOf(failure.getCode())
				.toStatus()
				.withDescription("Failed as the request asked for")
				.asRuntimeException();
		}
	}

	private int countAttempt(String requestId) {
		synchronized (this.attempts) {
			return this.attempts.merge(requestId, 1, Integer::sum);
		}
	}

}
