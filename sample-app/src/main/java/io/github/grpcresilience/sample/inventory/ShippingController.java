package io.github.grpcresilience.sample.inventory;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * Tells over HTTP when an article can be shipped, after a while, without a thread that
 * waits.
 */
@RestController
final class ShippingController {

	private static final int DAYS = 2;

	@GetMapping("/shipping/{sku}")
	CompletableFuture<Shipping> shipping(@PathVariable String sku, @RequestParam(defaultValue = "0") long takesMillis,
			@RequestHeader(name = "grpc-timeout", required = false) @Nullable String budget) {
		Executor later = CompletableFuture.delayedExecutor(takesMillis, TimeUnit.MILLISECONDS);
		return CompletableFuture.supplyAsync(() -> new Shipping(sku, DAYS, budget), later);
	}

	/** {@code budget} is what the caller said it has left. */
	record Shipping(String sku, int days, @Nullable String budget) {
	}

}
