package io.github.grpcresilience.autoconfigure.netdevh;

import net.devh.boot.grpc.client.interceptor.GlobalClientInterceptorConfigurer;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.policy.Mode;

/**
 * Puts what learns channels behind all other interceptors of net.devh's factories: those
 * without an order stand as they were registered, so this is registered last.
 */
@AutoConfiguration(after = NetDevhClientAutoConfiguration.class,
		afterName = { "net.devh.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration",
				"net.devh.boot.grpc.client.autoconfigure.GrpcClientMetricAutoConfiguration",
				"net.devh.boot.grpc.client.autoconfigure.GrpcClientMicrometerTraceAutoConfiguration",
				"net.devh.boot.grpc.client.autoconfigure.GrpcClientSecurityAutoConfiguration" })
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(name = "net.devh.boot.grpc.client.interceptor.GlobalClientInterceptorConfigurer")
@ConditionalOnBean({ GrpcResilience.class, NetDevhChannels.class })
public final class NetDevhChannelsAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceChannelInterceptorConfigurer")
	GlobalClientInterceptorConfigurer grpcResilienceChannelInterceptorConfigurer(GrpcResilience resilience,
			NetDevhChannels channels) {
		return (interceptors) -> {
			if (resilience.mode() == Mode.ENFORCE) {
				interceptors.add(channels);
			}
		};
	}

}
