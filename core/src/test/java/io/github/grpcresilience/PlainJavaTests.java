package io.github.grpcresilience;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.internal.policy.MethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.policy.ClientPolicies;
import io.github.grpcresilience.policy.CommitAfterEnd;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.policy.ServerPolicies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * Policies as applications without Spring write them.
 */
class PlainJavaTests {

	private final Loopback loopback = new Loopback();

	@AfterEach
	void end() {
		this.loopback.close();
	}

	private static Map<String, String> server(ServerPolicies policies, String method) {
		return values(PolicyTable.compile(policies.define()).get(0).resolveServed(method, true));
	}

	private static Map<String, String> client(ClientPolicies policies, String method) {
		return values(PolicyTable.compile(policies.define()).get(0).resolveCalled(method, true, "inventory"));
	}

	private static Map<String, String> values(MethodPolicy policy) {
		Map<String, String> values = new TreeMap<>();
		policy.settings().forEach((name, setting) -> values.put(name, SettingText.of(setting.value())));
		return values;
	}

	@Test
	void everySettingOfAServerCanBeWritten() {
		ServerPolicies policies = new ServerPolicies().missingDeadline(MissingDeadline.ALLOW)
			.defaultDeadline(Duration.ofMillis(4_700))
			.maxDeadline(Duration.ofSeconds(47))
			.answerMargin(0.03, Duration.ofMillis(3), Duration.ofMillis(37))
			.policy("reserve",
					(reserve) -> reserve.methods("shop.v1.Inventory/Reserve")
						.missingDeadline(MissingDeadline.REJECT)
						.maxDeadline(Duration.ofMillis(1_050))
						.defaultDeadline(Duration.ofMillis(930))
						.answerMargin(0.05, Duration.ZERO, Duration.ofMillis(17))
						.interruptOnCancel()
						.commitAfterEnd(CommitAfterEnd.REFUSE)
						.maxConcurrent(20)
						.maxPerSecond(33.5));
		assertThat(server(policies, "shop.v1.Inventory/Get")).containsEntry("deadline.missing", "allow")
			.containsEntry("deadline.default", "4700ms")
			.containsEntry("deadline.max", "47s")
			.containsEntry("deadline.answer-margin.fraction", "0.03")
			.containsEntry("deadline.answer-margin.min", "3ms")
			.containsEntry("deadline.answer-margin.max", "37ms")
			.containsEntry("interrupt-on-cancel", "false");
		assertThat(server(policies, "shop.v1.Inventory/Reserve")).containsEntry("deadline.missing", "reject")
			.containsEntry("deadline.default", "930ms")
			.containsEntry("deadline.max", "1050ms")
			.containsEntry("deadline.answer-margin.min", "0")
			.containsEntry("interrupt-on-cancel", "true")
			.containsEntry("commit-after-end", "refuse")
			.containsEntry("admission.max-concurrent", "20")
			.containsEntry("admission.max-per-second", "33.5");
	}

	@Test
	void everySettingOfAClientCanBeWritten() {
		ClientPolicies policies = new ClientPolicies().defaultDeadline(Duration.ofMillis(1_700))
			.reserve(0.07, Duration.ofMillis(7), Duration.ofMillis(70))
			.policy("reads",
					(reads) -> reads.clients("inventory")
						.methods("shop.v1.Inventory/Get", "shop.v1.Catalog")
						.idempotent()
						.relayAuthErrors()
						.defaultDeadline(Duration.ofMillis(300))
						.reserve(0.02, Duration.ZERO, Duration.ofMillis(7))
						.circuitBreaker("inventory")
						.bulkhead("few")
						.rateLimiter("slow")
						.retry((retry) -> retry.maxAttempts(4)
							.retryableStatusCodes(Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED)
							.backoff(Duration.ofMillis(33), Duration.ofMillis(777), 1.7)
							.jitter(0.3)
							.attemptTimeout(Duration.ofMillis(95))))
			.policy("search",
					(search) -> search.methods("shop.v1.Search/Query")
						.circuitBreakerConfig("careful")
						.hedge((hedge) -> hedge.maxAttempts(3)
							.delay(HedgeDelay.percentile(97.5))
							.nonFatalStatusCodes(Status.Code.ABORTED)));
		assertThat(client(policies, "shop.v1.Catalog/List")).containsEntry("deadline.default", "300ms")
			.containsEntry("deadline.reserve.fraction", "0.02")
			.containsEntry("idempotent", "true")
			.containsEntry("relay-auth-errors", "true")
			.containsEntry("circuit-breaker.instance", "inventory")
			.containsEntry("bulkhead.instance", "few")
			.containsEntry("rate-limiter.instance", "slow")
			.containsEntry("retry.max-attempts", "4")
			.containsEntry("retry.retryable-status-codes", "RESOURCE_EXHAUSTED, UNAVAILABLE")
			.containsEntry("retry.initial-backoff", "33ms")
			.containsEntry("retry.max-backoff", "777ms")
			.containsEntry("retry.backoff-multiplier", "1.7")
			.containsEntry("retry.jitter", "0.3")
			.containsEntry("retry.attempt-timeout", "95ms");
		assertThat(client(policies, "shop.v1.Search/Query")).containsEntry("deadline.default", "1700ms")
			.containsEntry("deadline.reserve.max", "70ms")
			.containsEntry("circuit-breaker.config", "careful")
			.containsEntry("hedge.max-attempts", "3")
			.containsEntry("hedge.delay", "p97.5")
			.containsEntry("hedge.non-fatal-status-codes", "ABORTED");
	}

	@Test
	void retryWithNothingSaidHasBuiltInValues() {
		ClientPolicies policies = new ClientPolicies().policy("reads",
				(reads) -> reads.methods("shop.v1.Catalog").retry((retry) -> {
				}));
		assertThat(client(policies, "shop.v1.Catalog/List")).containsEntry("retry.max-attempts", "3")
			.containsEntry("retry.initial-backoff", "50ms");
	}

	@Test
	void allMistakesAreToldTogetherWithTheLinesThatTheyWereWrittenIn() {
		GrpcResilienceBuilder builder = GrpcResilience.builder()
			.server((server) -> server.maxDeadline(Duration.ZERO).adaptive())
			.client((client) -> client.policy("Reads",
					(reads) -> reads.methods("a/b/c").bulkhead("unknown").defaultDeadline(Duration.ofMillis(-7))))
			.check((server, client) -> List.of(new PolicyFault("own", "here", "7", "is odd", "take 8")));
		InvalidPolicyException ex = catchThrowableOfType(InvalidPolicyException.class, builder::build);
		assertThat(ex.faults()).extracting(PolicyFault::property)
			.containsExactlyInAnyOrder("grpc.resilience.server.deadline.max",
					"grpc.resilience.server.admission.adaptive", "grpc.resilience.client.policies.Reads",
					"grpc.resilience.client.policies.Reads.methods",
					"grpc.resilience.client.policies.Reads.deadline.default",
					"grpc.resilience.client.policies.Reads.bulkhead.instance", "own");
		assertThat(ex.faults().stream().filter((fault) -> !fault.property().equals("own")))
			.allSatisfy((fault) -> assertThat(fault.location()).matches("PlainJavaTests\\.java:\\d+"));
	}

	@Test
	void exemptServicesReplaceTheBuiltInOnes() {
		PolicyTable table = PolicyTable.compile(new ServerPolicies().exemptServices("shop.v1.Probe").define()).get(0);
		assertThat(table.isExempt("shop.v1.Probe")).isTrue();
		assertThat(table.isExempt("grpc.health.v1.Health")).isFalse();
	}

	@Test
	void callsFollowWhatWasWritten() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.server((server) -> server.policy("shop",
					(shop) -> shop.methods("test.v1.Shop/Unary").missingDeadline(MissingDeadline.REJECT))));
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, new Shop().unary(Shop::echo)));
		assertThat(Loopback.call(channel, Loopback.within(9_070), "x")).isEqualTo("x");
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> Loopback.call(channel, CallOptions.DEFAULT, "x"))
			.satisfies((ex) -> assertThat(GrpcErrors.from(ex).reason()).hasValue("DEADLINE_REQUIRED"));
	}

}
