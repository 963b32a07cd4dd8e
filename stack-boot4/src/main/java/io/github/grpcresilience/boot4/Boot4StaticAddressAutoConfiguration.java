package io.github.grpcresilience.boot4;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

import io.github.grpcresilience.autoconfigure.properties.OnGrpcResilienceEnabled;
import io.github.grpcresilience.autoconfigure.stack.StaticAddresses;

/**
 * Lets a target have several addresses, {@code static-addresses:///a:1,b:2}. Where the
 * library is switched off, only as far as properties name one: they shall not fail the
 * start for that.
 */
@AutoConfiguration
@ConditionalOnClass(name = "org.springframework.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration")
@Conditional(Boot4StaticAddressAutoConfiguration.OnStaticAddresses.class)
final class Boot4StaticAddressAutoConfiguration {

	private Boot4StaticAddressAutoConfiguration() {
	}

	@Bean
	static StaticAddresses.Registration grpcResilienceStaticAddressRegistration() {
		return new StaticAddresses.Registration();
	}

	static final class OnStaticAddresses extends SpringBootCondition {

		@Override
		public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
			Environment environment = context.getEnvironment();
			if (OnGrpcResilienceEnabled.isEnabled(environment)) {
				return ConditionOutcome.match("enabled");
			}
			boolean any = StaticAddresses.isAny(environment, "spring.grpc.client.channel", "target",
					StaticAddresses::isTarget);
			return new ConditionOutcome(any, any ? "a channel has several static addresses" : "switched off");
		}

	}

}
