package io.github.grpcresilience.boot4;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

import io.github.grpcresilience.autoconfigure.stack.StaticAddresses;

/**
 * Lets a target have several addresses, {@code static-addresses:///a:1,b:2}, also where
 * the library is switched off.
 */
@AutoConfiguration
@ConditionalOnClass(name = "org.springframework.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration")
final class Boot4StaticAddressAutoConfiguration {

	private Boot4StaticAddressAutoConfiguration() {
	}

	@Bean
	static StaticAddresses.Registration grpcResilienceStaticAddressRegistration() {
		return new StaticAddresses.Registration();
	}

}
