package io.github.grpcresilience.sample.shared;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

import shop.v1.Hop;

import io.github.grpcresilience.Budget;

/**
 * A call's arrival at one service: what it brought along, and when. Immutable.
 */
public final class Arrival {

	private final String service;

	private final String instance;

	private final Optional<Duration> budget = Budget.remaining();

	private final long nanoTime = System.nanoTime();

	private Arrival(String service, String instance) {
		this.service = service;
		this.instance = instance;
	}

	/**
	 * Notes that the current call arrived just now.
	 * @param service the service that it reached
	 * @param instance which one of the service's instances; empty if there is only one
	 * @return the arrival
	 */
	public static Arrival at(String service, String instance) {
		return new Arrival(service, instance);
	}

	/**
	 * Says what this service saw of the call so far.
	 * @param attempts attempts made to the next hop, the first included; zero if there is
	 * no next hop
	 * @return the hop, elapsed until now
	 */
	public Hop hop(int attempts) {
		long elapsed = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - this.nanoTime);
		Hop.Builder hop = Hop.newBuilder().setService(this.service).setElapsedMs(elapsed).setAttempts(attempts);
		this.budget.ifPresent((left) -> hop.setBudgetMs(left.toMillis()));
		if (!this.instance.isEmpty()) {
			hop.setInstance(this.instance);
		}
		return hop.build();
	}

}
