package io.github.grpcresilience.boot4;

import java.util.concurrent.Executor;
import java.util.function.Predicate;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.StatusException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnThreading;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerExecutorProvider;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerProperties;
import org.springframework.boot.thread.Threading;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.core.task.VirtualThreadTaskExecutor;
import org.springframework.grpc.server.GlobalServerInterceptor;
import org.springframework.grpc.server.ServerBuilderCustomizer;
import org.springframework.grpc.server.exception.GrpcExceptionHandler;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycleEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerShutdownEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerStartedEvent;
import org.springframework.grpc.server.lifecycle.GrpcServerTerminatedEvent;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.autoconfigure.stack.ServerDrain;
import io.github.grpcresilience.autoconfigure.stack.ServerStack;
import io.github.grpcresilience.internal.error.ErrorAdvice;

/**
 * Protects the servers of Spring Boot's own gRPC, over Netty of either kind and
 * in-process.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = { "org.springframework.grpc.server.ServerBuilderCustomizer",
		"org.springframework.boot.grpc.server.autoconfigure.GrpcServerAutoConfiguration" })
@ConditionalOnBean(GrpcResilience.class)
final class Boot4ServerAutoConfiguration {

	/**
	 * Inside of observation (0), exception handlers (1) and security (2 and 3), which
	 * then see how we answer, and outside of the application's own interceptors, which
	 * come last unless they are ordered.
	 */
	static final int POLICY_ORDER = 5;

	/**
	 * Comes last, so that the guard is outside of what other customizers add.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerCustomizer")
	@Order(Ordered.LOWEST_PRECEDENCE)
	ServerBuilderCustomizer<?> grpcResilienceServerCustomizer(GrpcResilience resilience) {
		return new Guard<>(resilience);
	}

	/**
	 * Comes first, so that what the application's customizers set holds.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceConnectionCustomizer")
	@Order(Ordered.HIGHEST_PRECEDENCE)
	ServerBuilderCustomizer<?> grpcResilienceConnectionCustomizer(GrpcResilience resilience, Environment environment) {
		return new Keeping<>(resilience, Boot4Connections.OF_SERVER.setIn(environment));
	}

	@Bean
	@ConditionalOnMissingBean
	@ConditionalOnBooleanProperty("grpc.resilience.server.virtual-threads")
	@ConditionalOnThreading(Threading.VIRTUAL)
	GrpcServerExecutorProvider grpcResilienceVirtualThreads() {
		Executor threads = new VirtualThreadTaskExecutor("grpc-server-");
		return () -> threads;
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerInterceptor")
	@GlobalServerInterceptor
	OrderedCallPolicy grpcResilienceServerInterceptor(GrpcResilience resilience,
			ObjectProvider<GrpcExceptionHandler> handlers) {
		return new OrderedCallPolicy(resilience.callPolicy(advice(handlers)));
	}

	/**
	 * Lets exception handlers, of which {@code @GrpcAdvice} is one, answer what they map,
	 * at our place among the interceptors: at their own, further out, they would have to
	 * answer everything.
	 */
	private static ErrorAdvice advice(ObjectProvider<GrpcExceptionHandler> handlers) {
		return (thrown, call) -> {
			for (GrpcExceptionHandler handler : handlers.orderedStream().toList()) {
				StatusException answer = handler.handleException(thrown);
				if (answer != null) {
					Metadata trailers = answer.getTrailers();
					call.close(answer.getStatus(), (trailers != null) ? trailers : new Metadata());
					return true;
				}
			}
			return false;
		};
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceServerListener")
	ApplicationListener<GrpcServerLifecycleEvent> grpcResilienceServerListener(GrpcResilience resilience,
			ObjectProvider<ServerDrain> drains, @Qualifier("grpcResilienceBoot4Servers") GrpcResilienceStack stack) {
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
	GrpcResilienceStack grpcResilienceBoot4Servers(ObjectProvider<GrpcServerProperties> properties) {
		return new ServerStack(Boot4Connections.OF_SERVER, "spring.grpc.server.shutdown.grace-period", () -> {
			GrpcServerProperties set = properties.getIfAvailable();
			return (set != null) ? set.getShutdown().getGracePeriod() : null;
		});
	}

	/**
	 * How connections are kept.
	 */
	private record Keeping<T extends ServerBuilder<T>>(GrpcResilience resilience,
			Predicate<String> leftToOthers) implements ServerBuilderCustomizer<T> {

		@Override
		public void customize(T server) {
			this.resilience.connections().configure(server, this.leftToOthers);
		}

	}

	/**
	 * A class, since what a customizer is for is read from its type.
	 */
	private record Guard<T extends ServerBuilder<T>>(GrpcResilience resilience) implements ServerBuilderCustomizer<T> {

		@Override
		public void customize(T server) {
			server.intercept(this.resilience.callGuard()).addStreamTracerFactory(this.resilience.arrivals());
		}

	}

}
