package io.github.grpcresilience.autoconfigure.properties;

import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Matches unless the property says {@code false}: a misspelt value must fail the start,
 * not switch the protection off.
 */
public final class OnGrpcResilienceEnabled extends SpringBootCondition {

	private static final String PROPERTY = "grpc.resilience.enabled";

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		boolean on = isEnabled(context.getEnvironment());
		return new ConditionOutcome(on, PROPERTY + (on ? " is not false" : " is false"));
	}

	public static boolean isEnabled(Environment environment) {
		return !"false".equalsIgnoreCase(environment.getProperty(PROPERTY));
	}

}
