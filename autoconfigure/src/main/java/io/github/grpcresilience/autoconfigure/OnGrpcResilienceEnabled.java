package io.github.grpcresilience.autoconfigure;

import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.NoneNestedConditions;

/**
 * Matches unless the property says {@code false}: a misspelt value must fail the start,
 * not switch the protection off.
 */
final class OnGrpcResilienceEnabled extends NoneNestedConditions {

	OnGrpcResilienceEnabled() {
		super(ConfigurationPhase.REGISTER_BEAN);
	}

	@ConditionalOnProperty(name = "grpc.resilience.enabled", havingValue = "false")
	static final class Disabled {

	}

}
