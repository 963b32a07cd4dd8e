package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.cancel.reactor.CallSubscriptions;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class CallSubscriptionAutoConfigurationTests {

	private static final Context.Key<String> TENANT = Context.key("tenant");

	private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(
			AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, CallSubscriptionAutoConfiguration.class));

	private final CancellableContext call = Context.current().withValue(TENANT, "blue").withCancellation();

	private static Mono<String> tenant() {
		return Mono.just(1)
			.publishOn(Schedulers.parallel())
			.map((one) -> String.valueOf(TENANT.get()))
			.publishOn(Schedulers.boundedElastic())
			.map((tenant) -> tenant + " " + TENANT.get());
	}

	@Test
	void subscriptionsSeeTheirCallAndEndWithIt() {
		this.runner.run((context) -> {
			assertThat(this.call.call(() -> tenant().block())).isEqualTo("blue blue");
			CompletableFuture<Void> disposed = new CompletableFuture<>();
			CompletableFuture<String> result = this.call
				.call(() -> Mono.<String>never().doOnCancel(() -> disposed.complete(null)).toFuture());
			this.call.cancel(new IllegalStateException("the caller left"));
			disposed.get(10, TimeUnit.SECONDS);
			assertThat(Status.fromThrowable(catchThrowable(() -> result.get(10, TimeUnit.SECONDS))).getCode())
				.isEqualTo(Status.Code.CANCELLED);
			assertThat(context.getBean(GrpcResilience.class).stoppedWork().sums(Work.SUBSCRIPTION).cancelled())
				.isEqualTo(1);
		});
	}

	@Test
	void hooksGoWithTheLastApplication() throws Exception {
		this.runner.run((first) -> {
			this.runner.run((second) -> assertThat(second).hasSingleBean(CallSubscriptions.class));
			assertThat(this.call.call(() -> tenant().block())).isEqualTo("blue blue");
		});
		assertThat(this.call.call(() -> tenant().block())).isEqualTo("null null");
	}

	@Test
	void switchedOffNothingIsHooked() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.reactor.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(CallSubscriptions.class));
		this.runner.withPropertyValues("grpc.resilience.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(CallSubscriptions.class));
	}

	@Test
	void reactorIsNotNeeded() {
		this.runner.withClassLoader(new FilteredClassLoader(Hooks.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("grpcResilienceSubscriptions"));
	}

}
