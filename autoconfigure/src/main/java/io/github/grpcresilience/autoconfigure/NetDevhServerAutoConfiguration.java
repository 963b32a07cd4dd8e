package io.github.grpcresilience.autoconfigure;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import net.devh.boot.grpc.common.util.InterceptorOrder;
import net.devh.boot.grpc.server.event.GrpcServerStartedEvent;
import net.devh.boot.grpc.server.interceptor.GlobalServerInterceptorConfigurer;
import net.devh.boot.grpc.server.serverfactory.GrpcServerConfigurer;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

import io.github.grpcresilience.GrpcResilience;

/**
 * Protects the servers of net.devh's starter, over Netty of either kind and in-process.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = "net.devh.boot.grpc.server.serverfactory.GrpcServerConfigurer")
@ConditionalOnBean(GrpcResilience.class)
final class NetDevhServerAutoConfiguration {

	/**
	 * Comes last, so that the guard is outside of what other configurers add.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerConfigurer")
	@Order(Ordered.LOWEST_PRECEDENCE)
	GrpcServerConfigurer grpcResilienceServerConfigurer(GrpcResilience resilience) {
		return (server) -> server.intercept(resilience.callGuard()).addStreamTracerFactory(resilience.arrivals());
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerInterceptorConfigurer")
	GlobalServerInterceptorConfigurer grpcResilienceServerInterceptorConfigurer(GrpcResilience resilience) {
		return (interceptors) -> interceptors.add(new OrderedCallPolicy(resilience.callPolicy()));
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerListener")
	ApplicationListener<GrpcServerStartedEvent> grpcResilienceServerListener(GrpcResilience resilience) {
		return (event) -> resilience.learn(event.getServer());
	}

	/**
	 * Stands inside of observation and of exception advice, which then see how we answer,
	 * and outside of security and the application's own interceptors, whose time counts.
	 */
	private record OrderedCallPolicy(ServerInterceptor delegate) implements ServerInterceptor, Ordered {

		@Override
		public int getOrder() {
			return InterceptorOrder.ORDER_TRACING_METRICS + 10;
		}

		@Override
		public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
				ServerCallHandler<ReqT, RespT> next) {
			return this.delegate.interceptCall(call, headers, next);
		}

	}

}
