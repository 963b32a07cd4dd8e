package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelConfigurer;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import net.devh.boot.grpc.client.channelfactory.ShadedNettyChannelFactory;
import net.devh.boot.grpc.client.config.GrpcChannelsProperties;
import net.devh.boot.grpc.client.interceptor.GlobalClientInterceptorRegistry;
import net.devh.boot.grpc.client.interceptor.GrpcGlobalClientInterceptor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import io.github.grpcresilience.autoconfigure.Echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Channels of net.devh's factories, while nobody serves what they lead to.
 */
class NetDevhRestartTests {

	@ParameterizedTest
	@CsvSource({ "enforce, true", "observe, false" })
	void channelIsKnownThatAttemptsWaitFor(String mode, boolean known) {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.run("--grpc.server.port=-1", "--grpc.client.echo.address=static://127.0.0.1:1",
					"--grpc.client.echo.negotiation-type=plaintext", "--grpc.resilience.mode=" + mode,
					"--grpc.resilience.client.policies.p.methods=test.v1.Echo",
					"--grpc.resilience.client.policies.p.idempotent=true",
					"--grpc.resilience.client.policies.p.retry.max-attempts=3")) {
			Channel channel = context.getBean(GrpcChannelFactory.class).createChannel("echo");
			for (int i = 0; i < 2; i++) {
				assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(channel, Echo.REMAINING,
						CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), "x"))
					.isInstanceOf(StatusRuntimeException.class)
					.hasMessageContaining("UNAVAILABLE");
			}
			assertThat(context.getBean(CountingFactory.class).resets.get() > 0).isEqualTo(known);
		}
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(exclude = { DataSourceAutoConfiguration.class, HibernateJpaAutoConfiguration.class })
	static class Application {

		@Bean
		CountingFactory channelFactory(GrpcChannelsProperties properties, GlobalClientInterceptorRegistry registry,
				List<GrpcChannelConfigurer> configurers) {
			return new CountingFactory(properties, registry, configurers);
		}

		/** As most are: without an order. */
		@GrpcGlobalClientInterceptor
		ClientInterceptor own() {
			return new ClientInterceptor() {

				@Override
				public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
						CallOptions options, Channel next) {
					return next.newCall(method, options);
				}

			};
		}

	}

	/** Counts how often channels are told to connect. */
	static final class CountingFactory extends ShadedNettyChannelFactory {

		private final AtomicInteger resets = new AtomicInteger();

		CountingFactory(GrpcChannelsProperties properties, GlobalClientInterceptorRegistry registry,
				List<GrpcChannelConfigurer> configurers) {
			super(properties, registry, configurers);
		}

		@Override
		protected ManagedChannel newManagedChannel(String name) {
			return new Counted(super.newManagedChannel(name), this.resets);
		}

	}

	private static final class Counted extends ManagedChannel {

		private final ManagedChannel channel;

		private final AtomicInteger resets;

		Counted(ManagedChannel channel, AtomicInteger resets) {
			this.channel = channel;
			this.resets = resets;
		}

		@Override
		public void resetConnectBackoff() {
			this.resets.incrementAndGet();
			this.channel.resetConnectBackoff();
		}

		@Override
		public ConnectivityState getState(boolean requestConnection) {
			return this.channel.getState(requestConnection);
		}

		@Override
		public void notifyWhenStateChanged(ConnectivityState source, Runnable callback) {
			this.channel.notifyWhenStateChanged(source, callback);
		}

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> newCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options) {
			return this.channel.newCall(method, options);
		}

		@Override
		public String authority() {
			return this.channel.authority();
		}

		@Override
		public ManagedChannel shutdown() {
			return this.channel.shutdown();
		}

		@Override
		public ManagedChannel shutdownNow() {
			return this.channel.shutdownNow();
		}

		@Override
		public boolean isShutdown() {
			return this.channel.isShutdown();
		}

		@Override
		public boolean isTerminated() {
			return this.channel.isTerminated();
		}

		@Override
		public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
			return this.channel.awaitTermination(timeout, unit);
		}

	}

}
