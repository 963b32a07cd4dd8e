package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Policies;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class PolicyCheckTests {

	@ParameterizedTest
	@ValueSource(strings = { "", "a..B/C", "/a.B/C", "a.B/", "a.B/C/D", "a.B#C", "a.B/*", ".B", "a b" })
	void malformedMethodIsAFault(String method) {
		assertThat(check(Policies.server().policy("p", method).with(DeadlineSettings.MAX, Duration.ofSeconds(1)).end()))
			.singleElement()
			.satisfies((fault) -> {
				assertThat(fault.property()).isEqualTo("grpc.resilience.server.policies.p.methods");
				assertThat(fault.value()).isEqualTo(method);
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "a.B/C", "a.B", "B", "B/C", "shop.v1.Inventory/Get_2" })
	void wellFormedMethodIsNone(String method) {
		assertThat(check(Policies.server().policy("p", method).with(DeadlineSettings.MAX, Duration.ofSeconds(1)).end()))
			.isEmpty();
	}

	@Test
	void allFaultsOfBothSidesAreFoundAtOnce() {
		Policies server = Policies.server()
			.section(DeadlineSettings.MAX, Duration.ofMillis(-7))
			.policy("Bad", "a.B/C")
			.with(DeadlineSettings.DEFAULT, Duration.ZERO)
			.end();
		Policies client = Policies.client()
			.section(DeadlineSettings.allowance(Side.CLIENT).fraction(), 1.05)
			.section(DeadlineSettings.allowance(Side.CLIENT).min(), Duration.ofMillis(-1))
			.policy("empty")
			.end();
		assertThatExceptionOfType(InvalidPolicyException.class)
			.isThrownBy(() -> PolicyTable.compile(server.define(), client.define()))
			.satisfies((thrown) -> assertThat(thrown.faults()).extracting(PolicyFault::property)
				.containsExactly("grpc.resilience.server.deadline.max", "grpc.resilience.server.policies.Bad",
						"grpc.resilience.server.policies.Bad.deadline.default",
						"grpc.resilience.client.deadline.reserve.fraction",
						"grpc.resilience.client.deadline.reserve.min",
						"grpc.resilience.client.policies.empty.methods"));
	}

	@Test
	void notANumberIsNoFraction() {
		assertThat(check(Policies.client().section(DeadlineSettings.allowance(Side.CLIENT).fraction(), Double.NaN)))
			.hasSize(1);
	}

	@Test
	void zeroTurnsTheLowerBoundOff() {
		assertThat(check(Policies.server().section(DeadlineSettings.allowance(Side.SERVER).min(), Duration.ZERO)))
			.isEmpty();
	}

	@Test
	void maxBelowDefaultIsAFault() {
		Policies policies = Policies.server()
			.section(DeadlineSettings.DEFAULT, Duration.ofMillis(1050))
			.section(DeadlineSettings.MAX, Duration.ofMillis(1049));
		assertThat(check(policies)).singleElement().satisfies((fault) -> {
			assertThat(fault.property()).isEqualTo("grpc.resilience.server.deadline.default");
			assertThat(fault.rule()).contains("1049ms");
		});
	}

	@Test
	void combinationsAreFaultsBesideOtherFaults() {
		Policies policies = Policies.server()
			.section(DeadlineSettings.allowance(Side.SERVER).fraction(), 7.0)
			.section(DeadlineSettings.DEFAULT, Duration.ofHours(25))
			.policy("p", "a..B")
			.with(DeadlineSettings.MAX, Duration.ofMillis(-1))
			.end();
		assertThat(check(policies)).extracting(PolicyFault::property)
			.containsExactlyInAnyOrder("grpc.resilience.server.deadline.answer-margin.fraction",
					"grpc.resilience.server.deadline.default", "grpc.resilience.server.policies.p.methods",
					"grpc.resilience.server.policies.p.deadline.max");
	}

	@Test
	void defaultOfTheSectionAboveBuiltInMaxIsAFault() {
		assertThat(check(Policies.server().section(DeadlineSettings.DEFAULT, Duration.ofHours(25)))).hasSize(1);
	}

	@Test
	void maxOfTheSectionBelowBuiltInDefaultIsNone() {
		assertThat(check(Policies.server().section(DeadlineSettings.MAX, Duration.ofMillis(300)))).isEmpty();
	}

	@Test
	void defaultOfAMethodAboveTheMaxOfItsServiceIsAFault() {
		Policies policies = Policies.server()
			.policy("s", "a.B")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(1))
			.end()
			.policy("m", "a.B/C")
			.with(DeadlineSettings.DEFAULT, Duration.ofSeconds(2))
			.end();
		assertThat(check(policies)).extracting(PolicyFault::property)
			.containsExactly("grpc.resilience.server.policies.m.deadline.default");
	}

	@Test
	void sameFieldForTheSameMethodTwiceIsAFault() {
		Policies policies = Policies.client()
			.policy("one", "a.B/C")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(1))
			.end()
			.policy("two", "a.B/C", "a.B/D")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(2))
			.end();
		assertThat(check(policies)).singleElement().satisfies((fault) -> {
			assertThat(fault.property()).isEqualTo("grpc.resilience.client.policies.two.deadline.max");
			assertThat(fault.rule()).contains("policies.one.deadline.max = 1s");
		});
	}

	@Test
	void differentFieldsForTheSameMethodAreNone() {
		Policies policies = Policies.client()
			.policy("one", "a.B/C")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(3))
			.end()
			.policy("two", "a.B/C")
			.with(DeadlineSettings.DEFAULT, Duration.ofSeconds(2))
			.end();
		assertThat(check(policies)).isEmpty();
	}

	@Test
	void onlyPoliciesThatShareAClientCompete() {
		assertThat(check(forClients("x", "y"))).isEmpty();
		assertThat(check(forClients("x", "x"))).hasSize(1);
	}

	@Test
	void reserveWithMinAboveMaxIsAFault() {
		Policies policies = Policies.client()
			.policy("p", "a.B")
			.with(DeadlineSettings.allowance(Side.CLIENT).min(), Duration.ofMillis(101))
			.end();
		assertThat(check(policies)).extracting(PolicyFault::property)
			.containsExactly("grpc.resilience.client.policies.p.deadline.reserve.min");
	}

	@ParameterizedTest
	@ValueSource(ints = { 0, -1, Integer.MIN_VALUE })
	void limitThatLetsNobodyInIsAFault(int limit) {
		Policies policies = Policies.server()
			.section(AdmissionSettings.MAX_CONCURRENT, limit)
			.policy("p", "a.B")
			.with(AdmissionSettings.MAX_CONCURRENT, limit)
			.end();
		assertThat(check(policies)).extracting(PolicyFault::property)
			.containsExactly("grpc.resilience.server.admission.max-concurrent",
					"grpc.resilience.server.policies.p.admission.max-concurrent");
	}

	@ParameterizedTest
	@ValueSource(doubles = { 0, -7, 0.0009, 1_000_001, Double.NaN, Double.POSITIVE_INFINITY })
	void rateThatIsNoneIsAFault(double perSecond) {
		assertThat(check(Policies.server().section(AdmissionSettings.MAX_PER_SECOND, perSecond))).singleElement()
			.satisfies((fault) -> assertThat(fault.rule()).isEqualTo("must be between 0.001 and 1000000"));
	}

	@Test
	void adaptiveLimitMayBeSwitchedOffForOneMethod() {
		Policies policies = Policies.server()
			.policy("all", "a.B")
			.with(AdmissionSettings.ADAPTIVE, true)
			.end()
			.policy("one", "a.B/C")
			.with(AdmissionSettings.ADAPTIVE, false)
			.with(AdmissionSettings.MAX_CONCURRENT, 1)
			.with(AdmissionSettings.MAX_PER_SECOND, 0.001)
			.end();
		assertThat(check(policies)).isEmpty();
	}

	private static Policies forClients(String one, String other) {
		return Policies.client()
			.policy("one", "a.B")
			.clients(one)
			.with(DeadlineSettings.MAX, Duration.ofSeconds(3))
			.end()
			.policy("two", "a.B")
			.clients(other)
			.with(DeadlineSettings.MAX, Duration.ofSeconds(4))
			.end();
	}

	private static List<PolicyFault> check(Policies policies) {
		return PolicyTable.check(policies.define());
	}

	@Test
	void oneBreakerOfAllMethodsAndOneOfEachIsFault() {
		PolicyDefinition definition = Policies.client()
			.policy("shop", "shop.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, "shop")
			.with(GateSettings.BREAKER_CONFIG, "careful")
			.end()
			.define();
		assertThat(PolicyTable.check(definition)).singleElement().satisfies((fault) -> {
			assertThat(fault.property()).isEqualTo("grpc.resilience.client.policies.shop.circuit-breaker.config");
			assertThat(fault.rule()).contains("grpc.resilience.client.policies.shop.circuit-breaker.instance = shop");
		});
	}

	@Test
	void breakersOfTwoPoliciesAtOneLevelAreFault() {
		PolicyDefinition definition = Policies.client()
			.policy("one", "shop.v1.Shop/Get")
			.with(GateSettings.BREAKER_INSTANCE, "shop")
			.end()
			.policy("two", "shop.v1.Shop/Get")
			.with(GateSettings.BREAKER_CONFIG, "careful")
			.end()
			.define();
		assertThat(PolicyTable.check(definition)).hasSize(1);
	}

	@Test
	void strongerBreakerReplacesTheOtherKind() {
		PolicyDefinition definition = Policies.client()
			.policy("all", "shop.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, "shop")
			.end()
			.policy("get", "shop.v1.Shop/Get")
			.with(GateSettings.BREAKER_CONFIG, "careful")
			.end()
			.policy("get-of-web", "shop.v1.Shop/Get")
			.clients("web")
			.with(GateSettings.BREAKER_INSTANCE, "web")
			.end()
			.define();
		PolicyTable table = PolicyTable.compile(definition).get(0);
		assertThat(table.resolveCalled("shop.v1.Shop/List", true, "app").settings())
			.containsKey("circuit-breaker.instance")
			.doesNotContainKey("circuit-breaker.config");
		assertThat(table.resolveCalled("shop.v1.Shop/Get", true, "app").settings())
			.containsKey("circuit-breaker.config")
			.doesNotContainKey("circuit-breaker.instance");
		assertThat(table.resolveCalled("shop.v1.Shop/Get", true, "web").settings())
			.hasEntrySatisfying("circuit-breaker.instance", (setting) -> assertThat(setting.value()).isEqualTo("web"))
			.doesNotContainKey("circuit-breaker.config");
	}

	@Test
	void emptyNameOfBreakerIsFault() {
		PolicyDefinition definition = Policies.client()
			.policy("shop", "shop.v1.Shop")
			.with(GateSettings.BREAKER_INSTANCE, " ")
			.end()
			.define();
		assertThat(PolicyTable.check(definition)).hasSize(1);
	}

}
