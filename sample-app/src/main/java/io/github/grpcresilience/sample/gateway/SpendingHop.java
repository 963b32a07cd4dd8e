package io.github.grpcresilience.sample.gateway;

import java.util.Map;
import java.util.stream.Stream;

import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

import io.github.grpcresilience.autoconfigure.GrpcResilienceEdgeCustomizer;

/**
 * Adds to what the edge answers: where time ran out, {@code hop} is the one that spent
 * it.
 */
@Component
final class SpendingHop implements GrpcResilienceEdgeCustomizer {

	@Override
	public void customize(Map<String, Object> body, Throwable failure) {
		if (Integer.valueOf(HttpStatus.GATEWAY_TIMEOUT.value()).equals(body.get("status"))
				&& body.get("metadata") instanceof Map<?, ?> metadata) {
			// A client that gave up knows no service, only its own name for it.
			Stream.of("spent_by_service", "service", "client")
				.filter(metadata::containsKey)
				.findFirst()
				.ifPresent((key) -> body.put("hop", String.valueOf(metadata.get(key))));
		}
	}

}
