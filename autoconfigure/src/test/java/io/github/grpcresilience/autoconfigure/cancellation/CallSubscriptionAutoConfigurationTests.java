package io.github.grpcresilience.autoconfigure.cancellation;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.reactor.ReactorAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.TestCall;
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
			assertThat(Status.fromThrowable(blockInCallThatEnds()).getCode()).isEqualTo(Status.Code.CANCELLED);
			assertThat(context.getBean(GrpcResilience.class)
				.inspection()
				.stoppedWork()
				.sums(Work.SUBSCRIPTION)
				.cancelled()).isEqualTo(1);
		});
		assertThat(blockInCallThatEnds()).isNull();
	}

	@Test
	void propagationIsAsTheApplicationSetsIt() {
		ApplicationContextRunner reactive = this.runner
			.withConfiguration(AutoConfigurations.of(ReactorAutoConfiguration.class));
		try {
			reactive.withPropertyValues("spring.reactor.context-propagation=limited")
				.run((context) -> assertThat(Hooks.isAutomaticContextPropagationEnabled()).isFalse());
			reactive.withPropertyValues("spring.reactor.context-propagation=auto")
				.run((context) -> assertThat(Hooks.isAutomaticContextPropagationEnabled()).isTrue());
			assertThat(Hooks.isAutomaticContextPropagationEnabled()).isTrue();
		}
		finally {
			Hooks.disableAutomaticContextPropagation();
		}
	}

	@Test
	void applicationThatClosesTakesNothingFromAnother() {
		try {
			this.runner.run((first) -> {
				Hooks.enableAutomaticContextPropagation();
				first.close();
				assertThat(Hooks.isAutomaticContextPropagationEnabled()).isTrue();
			});
		}
		finally {
			Hooks.disableAutomaticContextPropagation();
		}
	}

	/** What blocks goes on for half a second, unless it is stopped. */
	private static Throwable blockInCallThatEnds() {
		TestCall call = TestCall.begin();
		Throwable[] thrown = new Throwable[1];
		call.run(() -> thrown[0] = catchThrowable(() -> Mono.delay(Duration.ofMillis(500))
			.doOnSubscribe((subscription) -> CompletableFuture.delayedExecutor(70, TimeUnit.MILLISECONDS)
				.execute(call::abandon))
			.block()));
		return thrown[0];
	}

	@Test
	void nothingIsThereWhenSwitchedOff() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.reactor.enabled=false").run((context) -> {
			assertThat(context).hasNotFailed().doesNotHaveBean(CallSubscriptions.class);
			assertThat(blockInCallThatEnds()).isNull();
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
