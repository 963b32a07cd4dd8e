package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.concurrent.Executor;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import net.devh.boot.grpc.common.util.InterceptorOrder;
import net.devh.boot.grpc.server.advice.GrpcAdviceExceptionHandler;
import net.devh.boot.grpc.server.advice.GrpcExceptionHandlerMethodResolver;
import net.devh.boot.grpc.server.config.GrpcServerProperties;
import net.devh.boot.grpc.server.event.GrpcServerLifecycleEvent;
import net.devh.boot.grpc.server.event.GrpcServerShutdownEvent;
import net.devh.boot.grpc.server.event.GrpcServerStartedEvent;
import net.devh.boot.grpc.server.event.GrpcServerTerminatedEvent;
import net.devh.boot.grpc.server.interceptor.GlobalServerInterceptorConfigurer;
import net.devh.boot.grpc.server.serverfactory.GrpcServerConfigurer;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnThreading;
import org.springframework.boot.autoconfigure.thread.Threading;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.core.task.VirtualThreadTaskExecutor;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.autoconfigure.stack.ServerDrain;
import io.github.grpcresilience.autoconfigure.stack.ServerStack;
import io.github.grpcresilience.internal.error.ErrorAdvice;

/**
 * Protects the servers of net.devh's starter, over Netty of either kind and in-process.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = "net.devh.boot.grpc.server.serverfactory.GrpcServerConfigurer")
@ConditionalOnBean(GrpcResilience.class)
public final class NetDevhServerAutoConfiguration {

	/**
	 * Comes last, so that the guard is outside of what other configurers add.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerConfigurer")
	@Order(Ordered.LOWEST_PRECEDENCE)
	GrpcServerConfigurer grpcResilienceServerConfigurer(GrpcResilience resilience) {
		return (server) -> server.intercept(resilience.callGuard()).addStreamTracerFactory(resilience.arrivals());
	}

	/**
	 * Comes first, so that what the application's configurers set holds.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceConnectionConfigurer")
	@Order(Ordered.HIGHEST_PRECEDENCE)
	GrpcServerConfigurer grpcResilienceConnectionConfigurer(GrpcResilience resilience, Environment environment) {
		return (server) -> resilience.connections().configure(server, NetDevhConnections.OF_SERVER.setIn(environment));
	}

	/**
	 * Comes first, so that an executor which the application's configurers set holds.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceVirtualThreads")
	@ConditionalOnBooleanProperty("grpc.resilience.server.virtual-threads")
	@ConditionalOnThreading(Threading.VIRTUAL)
	@Order(Ordered.HIGHEST_PRECEDENCE)
	GrpcServerConfigurer grpcResilienceVirtualThreads() {
		Executor threads = new VirtualThreadTaskExecutor("grpc-server-");
		return (server) -> server.executor(threads);
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerInterceptorConfigurer")
	GlobalServerInterceptorConfigurer grpcResilienceServerInterceptorConfigurer(GrpcResilience resilience,
			ObjectProvider<GrpcExceptionHandlerMethodResolver> advice,
			ObjectProvider<GrpcAdviceExceptionHandler> handler) {
		return (interceptors) -> interceptors.add(new OrderedCallPolicy(
				resilience.callPolicy(advice(advice.getIfAvailable(), handler.getIfAvailable()))));
	}

	/**
	 * Lets a {@code @GrpcAdvice} answer what it maps, at our place among the
	 * interceptors: at its own, further out, meters would see no answer.
	 */
	private static ErrorAdvice advice(@Nullable GrpcExceptionHandlerMethodResolver advice,
			@Nullable GrpcAdviceExceptionHandler handler) {
		if (advice == null || handler == null) {
			return ErrorAdvice.NONE;
		}
		return (thrown, call) -> {
			boolean mapped = advice.isMethodMappedForException(thrown.getClass());
			if (mapped) {
				handler.handleError(call, thrown);
			}
			return mapped;
		};
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerListener")
	ApplicationListener<GrpcServerLifecycleEvent> grpcResilienceServerListener(GrpcResilience resilience,
			ObjectProvider<ServerDrain> drains, @Qualifier("grpcResilienceNetDevhServers") GrpcResilienceStack stack) {
		return (event) -> {
			Server server = event.getServer();
			if (event instanceof GrpcServerStartedEvent) {
				resilience.learn(server);
				drains.ifAvailable((drain) -> drain.started(server));
			}
			else if (event instanceof GrpcServerShutdownEvent) {
				drains.ifAvailable((drain) -> drain.begin(server, stack));
			}
			else if (event instanceof GrpcServerTerminatedEvent) {
				drains.ifAvailable((drain) -> drain.end(server));
			}
		};
	}

	@Bean
	GrpcResilienceStack grpcResilienceNetDevhServers(ObjectProvider<GrpcServerProperties> properties) {
		return new ServerStack(NetDevhConnections.OF_SERVER, "grpc.server.shutdown-grace-period", () -> {
			GrpcServerProperties set = properties.getIfAvailable();
			return (set != null) ? set.getShutdownGracePeriod() : null;
		});
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
