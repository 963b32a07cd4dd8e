package io.github.grpcresilience.autoconfigure.properties;

import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Matches unless the property says {@code false}: a misspelt value must fail the start,
 * not switch the protection off.
 */
public final class OnGrpcResilienceEnabled extends SpringBootCondition {

	private static final String PROPERTY = "grpc.resilience.enabled";

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		boolean off = "false".equalsIgnoreCase(context.getEnvironment().getProperty(PROPERTY));
		return new ConditionOutcome(!off, PROPERTY + (off ? " is false" : " is not false"));
	}

}
