package io.github.grpcresilience.stacks;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.micrometer.core.instrument.MeterRegistry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.grpc.client.ChannelBuilderOptions;
import org.springframework.grpc.client.CompositeGrpcChannelFactory;
import org.springframework.grpc.client.GrpcChannelFactory;
import org.springframework.grpc.client.ImportGrpcClients;
import org.springframework.grpc.client.ShadedNettyGrpcChannelFactory;
import org.springframework.grpc.server.GlobalServerInterceptor;
import org.springframework.grpc.server.exception.GrpcExceptionHandler;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * What Spring Boot's own gRPC has that net.devh's starter has not.
 */
@TestInstance(Lifecycle.PER_CLASS)
class BootGrpcTests {

	private ConfigurableApplicationContext server;

	private ConfigurableApplicationContext client;

	private String target;

	@BeforeAll
	void start() {
		this.server = run(Server.class, "spring.application.name=served", "spring.grpc.server.port=0",
				"spring.grpc.server.inprocess.name=shop",
				"spring.grpc.client.channel.inside.target=in-process:shop",
				"grpc.resilience.server.policies.strict.methods=test.v1.Shop/Strict",
				"grpc.resilience.server.policies.strict.deadline.missing=reject");
		this.target = "static://localhost:" + this.server.getBean(ServerPort.class).port();
		this.client = run(Client.class, "spring.grpc.server.enabled=false",
				"spring.grpc.client.channel.default.keepalive.time=19m",
				"spring.grpc.client.channel.shop.target=" + this.target,
				"spring.grpc.client.channel.imported.target=" + this.target,
				"spring.grpc.client.channel.patient.target=" + this.target,
				"spring.grpc.client.channel.patient.default.deadline=43s",
				"spring.grpc.client.channel.retrying.target=" + this.target,
				"spring.grpc.client.channel.retrying.service-config.method[0].name[0].service=test.v1.Shop",
				"spring.grpc.client.channel.retrying.service-config.method[0].retry.max-attempts=3",
				"spring.grpc.client.channel.retrying.service-config.method[0].retry.initial-backoff=10ms",
				"spring.grpc.client.channel.retrying.service-config.method[0].retry.max-backoff=20ms",
				"spring.grpc.client.channel.retrying.service-config.method[0].retry.backoff-multiplier=2.0",
				"spring.grpc.client.channel.retrying.service-config.method[0].retry.retryable-status-codes=UNAVAILABLE",
				"grpc.resilience.client.policies.reads.clients=shop,retrying",
				"grpc.resilience.client.policies.reads.methods=test.v1.Shop/Flaky",
				"grpc.resilience.client.policies.reads.idempotent=true",
				"grpc.resilience.client.policies.reads.retry.max-attempts=3");
	}

	private static ConfigurableApplicationContext run(Class<?> application, String... properties) {
		return new SpringApplicationBuilder(application).web(WebApplicationType.NONE)
			.properties(properties)
			.properties("spring.jmx.enabled=false", Stack.WITHOUT_DATABASE)
			.run();
	}

	@AfterAll
	void stop() {
		this.client.close();
		this.server.close();
	}

	@Test
	void propertiesOfTheDefaultChannelWinWhereNobodyNamesOne() {
		GrpcResilienceStack stack = this.client.getBean("grpcResilienceBoot4Clients", GrpcResilienceStack.class);
		assertThat(stack.connection("anybody").setIn(this.client.getEnvironment())).accepts("connection.keepalive.time")
			.rejects("connection.keepalive.timeout");
		assertThat(stack.connection("shop").setIn(this.client.getEnvironment())).rejects("connection.keepalive.time");
	}

	@Test
	void defaultDeadlineOfTheChannelWins() {
		assertThat(Long.parseLong(call("patient", Shop.WORK))).isBetween(20_000L, 43_000L);
		assertThat(Long.parseLong(call("shop", Shop.WORK))).isBetween(1L, 2_000L);
	}

	@Test
	void clientsAreKnownByTheirChannelOrTarget() {
		call("shop", Shop.REMAINING);
		call(this.target, Shop.REMAINING);
		assertThat(this.client.getBean(GrpcResilience.class).inspection().attemptBudgets().keySet()).contains("shop",
				this.target);
	}

	@Test
	void factoriesOfChannelsKeepTheirClass() {
		assertThat(this.client.getBean(GrpcChannelFactory.class)).isInstanceOf(CompositeGrpcChannelFactory.class);
		assertThat(this.client.getBean(ShadedNettyGrpcChannelFactory.class)).isNotNull();
	}

	@Test
	void importedStubsOfEachKindAreProtected() throws Exception {
		HealthCheckRequest request = HealthCheckRequest.getDefaultInstance();
		assertThat(this.client.getBean(HealthGrpc.HealthBlockingStub.class).check(request).getStatusValue())
			.isPositive();
		assertThat(this.client.getBean(HealthGrpc.HealthBlockingV2Stub.class).check(request).getStatusValue())
			.isPositive();
		assertThat(this.client.getBean(HealthGrpc.HealthFutureStub.class)
			.check(request)
			.get(10, TimeUnit.SECONDS)
			.getStatusValue()).isPositive();
		assertThat(this.client.getBean(GrpcResilience.class).inspection().calledMethods()).anySatisfy((method) -> {
			assertThat(method.client()).isEqualTo("imported");
			assertThat(method.name()).isEqualTo("grpc.health.v1.Health/Check");
			assertThat(method.counts().byCode()).containsEntry(Status.Code.OK, 3L);
		});
	}

	@Test
	void serversInProcessAreProtectedAsWell() {
		Channel channel = Stack.channel(this.server, "in-process:shop");
		assertThat(Long.parseLong(Shop.call(channel, Shop.WORK, ""))).isBetween(1L, 2_000L);
		GrpcErrors errors = GrpcErrors
			.from(catchThrowable(() -> Shop.call(Stack.channel(this.client, this.target), Shop.STRICT, "")));
		assertThat(errors.reason()).isEmpty(); // the client's default came along
		assertThat(this.server.getBean(GrpcResilience.class).inspection().attemptBudgets().keySet())
			.contains("in-process:shop");
	}

	@Test
	void serverInProcessIsNoTargetOfANamedChannel() {
		assertThatIllegalStateException().isThrownBy(() -> Stack.channel(this.server, "inside"));
	}

	@Test
	void exceptionHandlerOfTheApplicationWinsForWhatItMaps() {
		GrpcErrors mapped = GrpcErrors.from(
				catchThrowable(() -> Shop.call(Stack.channel(this.client, "shop"), Shop.FAIL, "advised")));
		assertThat(mapped.code()).isEqualTo(Status.Code.OUT_OF_RANGE);
		GrpcErrors other = GrpcErrors
			.from(catchThrowable(() -> Shop.call(Stack.channel(this.client, "shop"), Shop.FAIL, "unmapped")));
		assertThat(other.code()).isEqualTo(Status.Code.INTERNAL);
		assertThat(other.reason()).contains("INTERNAL");
	}

	@Test
	void interceptorsOfTheApplicationAreInsideOfThePolicy() {
		call("shop", Shop.REMAINING);
		Deadline seen = this.server.getBean(Inside.class).deadline.get();
		assertThat(seen).isNotNull();
	}

	@Test
	void retriesOfTheChannelBesideOursAreToldAtStart() {
		assertThat(findings(this.client)).filteredOn((finding) -> finding.id().equals("TWO_RETRY_OWNERS"))
			.singleElement()
			.satisfies((finding) -> assertThat(finding.subject()).isEqualTo("test.v1.Shop/Flaky"))
			.satisfies((finding) -> assertThat(finding.message()).contains("client retrying"));
	}

	@Test
	void factoryThatCannotBeExtendedIsTold() {
		try (ConfigurableApplicationContext application = run(ClientOfItsOwn.class)) {
			assertThat(findings(application)).filteredOn((finding) -> finding.id().equals("CHANNELS_UNPROTECTED"))
				.singleElement()
				.satisfies((finding) -> assertThat(finding.subject()).isEqualTo("finalFactory"));
		}
	}

	@Test
	void thereIsNoServerWithoutServices() {
		try (ConfigurableApplicationContext application = run(WithoutServices.class)) {
			assertThat(application.getBeansOfType(GrpcServerLifecycle.class)).isEmpty();
			assertThat(findings(application)).isEmpty();
		}
	}

	/**
	 * So whoever asks for the executor by its type has to say which.
	 */
	@Test
	void healthOfTheServerBringsAScheduler() {
		assertThat(this.server.getBeanNamesForType(AsyncTaskExecutor.class)).contains("applicationTaskExecutor",
				"taskScheduler");
	}

	@Test
	void metersAreMicrometersOnly() {
		call("shop", Shop.REMAINING);
		assertThat(this.client.getBean(MeterRegistry.class).getMeters()).extracting((meter) -> meter.getId().getName())
			.contains("grpc.client")
			.doesNotContain("grpc.client.processing.duration");
	}

	@Test
	void attemptsGoThroughOneInterceptorOfOurs() {
		assertThat(call("shop", Shop.FLAKY)).isEqualTo("attempt 3");
	}

	private String call(String client, MethodDescriptor<String, String> method) {
		return ClientCalls.blockingUnaryCall(Stack.channel(this.client, client), method, CallOptions.DEFAULT, client);
	}

	private static List<Finding> findings(ConfigurableApplicationContext application) {
		return application.getBean(GrpcResilience.class).inspection().findings();
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import({ ServerPort.class, Inside.class })
	static class Server {

		/** Says how long its caller gave it, whatever the server makes of that. */
		@Bean
		ServedShop shop() {
			return new ServedShop((request) -> {
				Deadline deadline = Context.current().getDeadline();
				return (deadline != null) ? String.valueOf(deadline.timeRemaining(TimeUnit.MILLISECONDS)) : "none";
			});
		}

		@Bean
		GrpcExceptionHandler handler() {
			return (thrown) -> (thrown instanceof Shop.Teapot) ? Status.OUT_OF_RANGE.asException() : null;
		}

	}

	/** Unordered, as most are. */
	@GlobalServerInterceptor
	static class Inside implements ServerInterceptor {

		final AtomicReference<Deadline> deadline = new AtomicReference<>();

		@Override
		public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
				ServerCallHandler<ReqT, RespT> next) {
			this.deadline.set(Context.current().getDeadline());
			return next.startCall(new SimpleForwardingServerCall<>(call) {
			}, headers);
		}

	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@ImportGrpcClients(target = "imported", types = { HealthGrpc.HealthBlockingStub.class,
			HealthGrpc.HealthBlockingV2Stub.class, HealthGrpc.HealthFutureStub.class })
	static class Client {

	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class WithoutServices {

	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class ClientOfItsOwn {

		@Bean
		FinalFactory finalFactory() {
			return new FinalFactory();
		}

	}

	/** Knows no target. */
	static final class FinalFactory implements GrpcChannelFactory {

		@Override
		public boolean supports(String target) {
			return false;
		}

		@Override
		public ManagedChannel createChannel(String target, ChannelBuilderOptions options) {
			throw new IllegalStateException();
		}

	}

}
