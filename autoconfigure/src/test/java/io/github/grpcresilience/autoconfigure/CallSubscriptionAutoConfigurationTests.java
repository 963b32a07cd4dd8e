package io.github.grpcresilience.autoconfigure;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.cancel.reactor.CallSubscriptions;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class CallSubscriptionAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(
			AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, CallSubscriptionAutoConfiguration.class));

	@Test
	void subscriptionsOfAbandonedCallsAreRefusedAsLongAsTheApplicationRuns() {
		this.runner.withPropertyValues("spring.main.lazy-initialization=true").run((context) -> {
			assertThat(Status.fromThrowable(subscribeInAbandonedCall()).getCode()).isEqualTo(Status.Code.CANCELLED);
			assertThat(Hooks.isAutomaticContextPropagationEnabled()).isTrue();
			assertThat(context.getBean(GrpcResilience.class).stoppedWork().sums(Work.SUBSCRIPTION).refused())
				.isEqualTo(1);
		});
		assertThat(subscribeInAbandonedCall()).isNull();
		assertThat(Hooks.isAutomaticContextPropagationEnabled()).isFalse();
	}

	private static Throwable subscribeInAbandonedCall() {
		CancellableContext call = Context.ROOT.withCancellation();
		call.cancel(new IllegalStateException("the caller left"));
		Throwable[] thrown = new Throwable[1];
		call.run(() -> thrown[0] = catchThrowable(() -> Mono.just("").hide().block()));
		return thrown[0];
	}

	@Test
	void nothingIsThereWhenSwitchedOff() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.reactor.enabled=false").run((context) -> {
			assertThat(context).hasNotFailed().doesNotHaveBean(CallSubscriptions.class);
			assertThat(subscribeInAbandonedCall()).isNull();
		});
	}

	@Test
	void nothingIsThereWithoutReactor() {
		this.runner.withClassLoader(new FilteredClassLoader("reactor.core"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("grpcResilienceSubscriptions"));
	}

	@Test
	void nothingIsThereWhenAllIsDisabled() {
		this.runner.withPropertyValues("grpc.resilience.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(CallSubscriptions.class));
	}

}
