package io.github.grpcresilience.autoconfigure.netdevh;

import java.net.URI;
import java.util.stream.StreamSupport;

import net.devh.boot.grpc.client.config.GrpcChannelProperties;
import net.devh.boot.grpc.client.config.GrpcChannelsProperties;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.env.Environment;
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
	 * Matches if any client has several static addresses in any source: binding, which
	 * tells the sources apart, is too dear for that.
	 */
	static final class OnStaticAddresses extends SpringBootCondition {

		private static final ConfigurationPropertyName PREFIX = ConfigurationPropertyName.of("grpc.client");

		@Override
		public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
			Environment environment = context.getEnvironment();
			boolean any = StreamSupport.stream(ConfigurationPropertySources.get(environment).spliterator(), false)
				.anyMatch((source) -> source instanceof IterableConfigurationPropertySource iterable
						&& isAny(iterable, environment));
			return new ConditionOutcome(any, any ? "a client has several static addresses" : "no such client");
		}

		private static boolean isAny(IterableConfigurationPropertySource source, Environment environment) {
			for (ConfigurationPropertyName name : source) {
				if (PREFIX.isAncestorOf(name) && name.getLastElement(Form.UNIFORM).equals("address")) {
					ConfigurationProperty address = source.getConfigurationProperty(name);
					if (address != null && StaticAddresses
						.isList(environment.resolvePlaceholders(String.valueOf(address.getValue())))) {
						return true;
					}
				}
			}
			return false;
		}

	}

}
