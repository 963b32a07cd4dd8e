package io.github.grpcresilience.autoconfigure.netdevh;

import java.net.URI;

import net.devh.boot.grpc.client.config.GrpcChannelProperties;
import net.devh.boot.grpc.client.config.GrpcChannelsProperties;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.type.AnnotatedTypeMetadata;

import io.github.grpcresilience.autoconfigure.stack.StaticAddresses;

/**
 * Keeps several static addresses of net.devh's clients working, which the gRPC that comes
 * with this library cannot parse. So it does not depend on
 * {@code grpc.resilience.enabled}; there are no beans where no client has such addresses.
 */
@AutoConfiguration(beforeName = "net.devh.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration")
@ConditionalOnClass(name = "net.devh.boot.grpc.client.config.GrpcChannelsProperties")
@Conditional(NetDevhStaticAddressAutoConfiguration.OnStaticAddresses.class)
public final class NetDevhStaticAddressAutoConfiguration {

	private NetDevhStaticAddressAutoConfiguration() {
	}

	/**
	 * net.devh registers resolvers only when somebody asks for its registration.
	 */
	@Bean
	static StaticAddresses.Registration grpcResilienceStaticAddressRegistration() {
		return new StaticAddresses.Registration();
	}

	@Bean
	static Rewriter grpcResilienceStaticAddresses() {
		return new Rewriter();
	}

	static final class Rewriter implements BeanPostProcessor {

		@Override
		public Object postProcessAfterInitialization(Object bean, String beanName) {
			if (bean instanceof GrpcChannelsProperties channels) {
				channels.getClient().values().forEach(Rewriter::rewrite);
			}
			return bean;
		}

		private static void rewrite(GrpcChannelProperties channel) {
			URI address = channel.getAddress();
			if (address != null && StaticAddresses.isList(address.toString())) {
				channel.setAddress(StaticAddresses.rewritten(address.toString()));
			}
		}

	}

	/**
	 * Matches if any client has several static addresses.
	 */
	static final class OnStaticAddresses extends SpringBootCondition {

		@Override
		public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
			boolean any = StaticAddresses.isAny(context.getEnvironment(), "grpc.client", "address",
					StaticAddresses::isList);
			return new ConditionOutcome(any, any ? "a client has several static addresses" : "no such client");
		}

	}

}
