package io.github.grpcresilience.sample.orders;

import java.util.concurrent.CompletableFuture;

import org.springframework.scheduling.annotation.Async;
import org.springframework.stereotype.Component;

import io.github.grpcresilience.sample.shared.Work;

/**
 * Computes prices, on the application's executor.
 */
@Component
class Pricing {

	private static final long CENTS = 14_900;

	/**
	 * Computes what a quantity of an article costs.
	 * @param millis how long that takes, in milliseconds
	 */
	@Async
	CompletableFuture<Long> price(int quantity, long millis) {
		Work.forMillis(millis);
		return CompletableFuture.completedFuture(quantity * CENTS);
	}

}
