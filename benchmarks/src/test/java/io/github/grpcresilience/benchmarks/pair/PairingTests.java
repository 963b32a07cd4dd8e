package io.github.grpcresilience.benchmarks.pair;

import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Pairing} with every variant: shapes refuse wrong answers.
 */
class PairingTests {

	@ParameterizedTest
	@MethodSource("jobs")
	void everyVariantAnswersAndIsMeasured(Job job) {
		try (Pairing pairing = new Pairing(job.scenario(), job.variants(), 4)) {
			List<Outcome> outcomes = pairing.run(0, 0.001);
			assertThat(outcomes).extracting(Outcome::variant)
				.containsExactlyElementsOf(job.variants().stream().map(Contender::name).toList());
			assertThat(outcomes).allSatisfy((outcome) -> {
				assertThat(outcome.cpuRatio()).isPositive();
				assertThat(outcome.bytes()).isPositive();
			});
		}
	}

	static Stream<Job> jobs() {
		return Stream.of("--full", "--growth").flatMap((plan) -> Plan.of(plan).jobs().stream());
	}

}
