package io.github.grpcresilience;

import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.policy.InvalidPolicyException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class GrpcResilienceTests {

	@Test
	void invalidPoliciesLeaveNoThreadBehind() {
		Set<Thread> before = timers();
		assertThatExceptionOfType(InvalidPolicyException.class).isThrownBy(() -> GrpcResilience.builder()
			.policies(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(-7)).define())
			.build());
		assertThat(before).containsAll(timers());
	}

	private static Set<Thread> timers() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> thread.getName().equals("grpc-resilience-timer"))
			.collect(Collectors.toSet());
	}

}
