package io.github.grpcresilience.benchmarks.peer;

import java.util.List;
import java.util.Map;

import io.grpc.ManagedChannelBuilder;

import io.github.grpcresilience.benchmarks.variant.Echo;
import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * grpc-java with a retry policy by service config.
 */
public final class NativeRetry implements Variant {

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		channel.enableRetry()
			.defaultServiceConfig(Map.of("methodConfig",
					List.of(Map.of("name", List.of(Map.of("service", Echo.SERVICE)), "retryPolicy",
							Map.of("maxAttempts", 3.0, "initialBackoff", "0.05s", "maxBackoff", "1s",
									"backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE"))))));
	}

}
