package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.List;
import java.util.Set;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Policies;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class AttemptPolicyTests {

	private static final String METHOD = "test.v1.Shop/Unary";

	private static AttemptPolicy resolve(Policies policies) {
		PolicyTable table = PolicyTable.compile(policies.define()).get(0);
		return table.resolveCalled(METHOD, true, "shop").attempts();
	}

	private static List<PolicyFault> check(Policies policies) {
		return PolicyTable.check(policies.define());
	}

	@Test
	void oneAttemptIfNobodyAsksForMore() {
		assertThat(resolve(Policies.client())).isEqualTo(AttemptPolicy.ONCE);
		assertThat(resolve(Policies.client().policy("a", METHOD).with(AttemptSettings.IDEMPOTENT, true).end()))
			.isEqualTo(AttemptPolicy.ONCE);
	}

	@Test
	void anyFieldOfRetryBringsTheOthers() {
		assertThat(resolve(Policies.client()
			.policy("a", METHOD)
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(7))
			.end()))
			.isEqualTo(new AttemptPolicy.Retry(3, Set.of(Status.Code.UNAVAILABLE), 7_000_000, 1_000_000_000, 2.0, 0.2,
					AttemptPolicy.NO_TIMEOUT));
	}

	@Test
	void anyFieldOfHedgeBringsTheOthers() {
		assertThat(resolve(Policies.client().policy("a", METHOD).with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 3).end()))
			.isEqualTo(new AttemptPolicy.Hedge(3, HedgeDelay.percentile(95), Set.of(Status.Code.UNAVAILABLE)));
	}

	@Test
	void fieldsOfALevelKeepThoseOfTheOther() {
		Policies policies = Policies.client()
			.policy("service", "test.v1.Shop")
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 5)
			.with(AttemptSettings.JITTER, 0.0)
			.end()
			.policy("method", METHOD)
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 2)
			.end();
		assertThat(resolve(policies)).isInstanceOfSatisfying(AttemptPolicy.Retry.class, (retry) -> {
			assertThat(retry.maxAttempts()).isEqualTo(2);
			assertThat(retry.jitter()).isZero();
		});
	}

	@Test
	void strongerLevelDecidesBetweenRetryAndHedge() {
		Policies policies = Policies.client()
			.policy("service", "test.v1.Shop")
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 5)
			.end()
			.policy("method", METHOD)
			.with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 2)
			.end();
		assertThat(resolve(policies)).isInstanceOf(AttemptPolicy.Hedge.class);
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void retryBesideHedgeIsAFault(boolean onePolicy) {
		Policies policies = onePolicy
				? Policies.client()
					.policy("a", METHOD)
					.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 5)
					.with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 2)
					.end()
				: Policies.client()
					.policy("a", METHOD)
					.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 5)
					.end()
					.policy("b", METHOD)
					.with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 2)
					.end();
		assertThat(check(policies)).singleElement().satisfies((fault) -> {
			assertThat(fault.property()).endsWith(".hedge.max-attempts");
			assertThat(fault.rule()).contains("retry.max-attempts");
		});
	}

	private static Policies timedByService() {
		return Policies.client()
			.policy("service", "test.v1.Shop")
			.with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(310))
			.end();
	}

	private static CalledMethodPolicy resolveStream(Policies policies) {
		return PolicyTable.compile(policies.define()).get(0).resolveCalled(METHOD, false, "shop");
	}

	@Test
	void attemptTimeoutOfAServiceIsNotForStreams() {
		assertThat(resolve(timedByService())).isInstanceOfSatisfying(AttemptPolicy.Retry.class,
				(retry) -> assertThat(retry.attemptTimeoutNanos()).isEqualTo(310_000_000));
		CalledMethodPolicy stream = resolveStream(timedByService());
		assertThat(stream.attempts()).isInstanceOfSatisfying(AttemptPolicy.Retry.class, (retry) -> {
			assertThat(retry.maxAttempts()).as("what else the policy asks for").isEqualTo(3);
			assertThat(retry.attemptTimeoutNanos()).isEqualTo(AttemptPolicy.NO_TIMEOUT);
		});
		assertThat(stream.settings()).doesNotContainKey("retry.attempt-timeout");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "shop" })
	void attemptTimeoutOfTheMethodIsForStreams(String client) {
		Policies.Layer method = timedByService().policy("method", METHOD)
			.with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(70));
		if (!client.isEmpty()) {
			method.clients(client);
		}
		assertThat(resolveStream(method.end()).attempts()).isInstanceOfSatisfying(AttemptPolicy.Retry.class,
				(retry) -> assertThat(retry.attemptTimeoutNanos()).isEqualTo(70_000_000));
	}

	@Test
	void otherFieldsOfTheMethodDoNotBringTheTimeoutOfItsService() {
		Policies policies = timedByService().policy("method", METHOD).with(AttemptSettings.RETRY_MAX_ATTEMPTS, 2).end();
		assertThat(resolveStream(policies).attempts()).isInstanceOfSatisfying(AttemptPolicy.Retry.class,
				(retry) -> assertThat(retry.attemptTimeoutNanos()).isEqualTo(AttemptPolicy.NO_TIMEOUT));
	}

	@Test
	void everyMistakeIsFound() {
		assertThat(check(Policies.client()
			.policy("a", METHOD)
			.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 11)
			.with(AttemptSettings.RETRYABLE_STATUS_CODES, Set.of(Status.Code.OK, Status.Code.UNAVAILABLE))
			.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofSeconds(7))
			.with(AttemptSettings.BACKOFF_MULTIPLIER, 0.5)
			.with(AttemptSettings.JITTER, 1.05)
			.with(AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofSeconds(31))
			.with(DeadlineSettings.MAX, Duration.ofSeconds(30))
			.end()
			.section(AttemptSettings.BUDGET_RATIO, -0.1)
			.section(AttemptSettings.BUDGET_MIN_PER_SECOND, -1.0)
			.section(AttemptSettings.BUDGET_WINDOW, Duration.ofMillis(7)))).extracting(PolicyFault::property)
			.map((property) -> property.substring(property.lastIndexOf('.') + 1))
			.containsExactlyInAnyOrder("max-attempts", "retryable-status-codes", "initial-backoff",
					"backoff-multiplier", "jitter", "attempt-timeout", "ratio", "min-per-second", "window");
	}

	@ParameterizedTest
	@CsvSource({ "40ms, 40000000, 0", "7, 7000000, 0", "1s, 1000000000, 0", "250us, 250000, 0", "PT0.04S, 40000000, 0",
			"0, 0, 0", "p95, 0, 95", "p99.9, 0, 99.9" })
	void readsDelays(String text, long nanos, double percentile) {
		assertThat(HedgeDelay.of(text)).isEqualTo(new HedgeDelay(nanos, percentile));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "p", "pp", "40 parsecs", "PT", "-7ms", "p9x" })
	void refusesWhatIsNoDelay(String text) {
		assertThatIllegalArgumentException().isThrownBy(() -> HedgeDelay.of(text)).withMessageContaining("p95");
	}

	@ParameterizedTest
	@ValueSource(doubles = { 100, 101, -1 })
	void percentilesLieBetweenTheirBounds(double percentile) {
		assertThat(check(Policies.client()
			.policy("a", METHOD)
			.with(AttemptSettings.HEDGE_DELAY, HedgeDelay.percentile(percentile))
			.end())).hasSize(1);
	}

}
