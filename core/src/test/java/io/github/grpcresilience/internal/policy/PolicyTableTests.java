package io.github.grpcresilience.internal.policy;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Policies;
import io.github.grpcresilience.policy.MissingDeadline;

import static org.assertj.core.api.Assertions.assertThat;

class PolicyTableTests {

	private static final Duration SEVEN = Duration.ofMillis(7);

	private static final Duration LONG = Duration.ofMillis(1050);

	@Test
	void builtInValuesHoldWhereNobodySetsAny() {
		DeadlinePolicy server = resolve(Policies.server(), "a.B/C", true, null).deadline();
		assertThat(server).isEqualTo(new DeadlinePolicy(MissingDeadline.DEFAULT, Duration.ofSeconds(5).toNanos(),
				Duration.ofHours(24).toNanos(), new Allowance(0.02, 5_000_000, 25_000_000, 0.1)));
		DeadlinePolicy client = resolve(Policies.client(), "a.B/C", true, "x").deadline();
		assertThat(client).isEqualTo(new DeadlinePolicy(MissingDeadline.DEFAULT, Duration.ofSeconds(2).toNanos(),
				Duration.ofHours(24).toNanos(), new Allowance(0.05, 10_000_000, 100_000_000, 0.5)));
	}

	@Test
	void oneOverrideKeepsTheRest() {
		MethodPolicy policy = resolve(Policies.server().policy("p", "a.B/C").with(DeadlineSettings.MAX, LONG).end(),
				"a.B/C", true, null);
		assertThat(policy.deadline().maxNanos()).isEqualTo(LONG.toNanos());
		assertThat(policy.deadline().missing()).isEqualTo(MissingDeadline.DEFAULT);
		assertThat(policy.deadline().allowance()).isEqualTo(new Allowance(0.02, 5_000_000, 25_000_000, 0.1));
		assertThat(policy.settings().get("deadline.max").origin())
			.isEqualTo(new Origin("grpc.resilience.server.policies.p.deadline.max", "test.yml"));
		assertThat(policy.settings().get("deadline.default").origin().isBuiltIn()).isTrue();
	}

	@Test
	void exactMethodBeatsServiceBeatsSection() {
		Policies policies = Policies.server()
			.section(DeadlineSettings.MAX, Duration.ofSeconds(20))
			.policy("m", "a.B/C")
			.with(DeadlineSettings.MAX, SEVEN)
			.end()
			.policy("s", "a.B")
			.with(DeadlineSettings.MAX, LONG)
			.end();
		assertThat(max(policies, "a.B/C", null)).isEqualTo(SEVEN);
		assertThat(max(policies, "a.B/D", null)).isEqualTo(LONG);
		assertThat(max(policies, "a.Bx/C", null)).isEqualTo(Duration.ofSeconds(20));
	}

	@Test
	void policyForNamedClientBeatsOneForAllAtTheSameLevelOnly() {
		Policies policies = Policies.client()
			.policy("named", "a.B")
			.clients("x")
			.with(DeadlineSettings.MAX, SEVEN)
			.end()
			.policy("all", "a.B")
			.with(DeadlineSettings.MAX, LONG)
			.end()
			.policy("method", "a.B/C")
			.with(DeadlineSettings.MAX, Duration.ofMillis(33))
			.end();
		assertThat(max(policies, "a.B/D", "x")).isEqualTo(SEVEN);
		assertThat(max(policies, "a.B/D", "y")).isEqualTo(LONG);
		assertThat(max(policies, "a.B/C", "x")).isEqualTo(Duration.ofMillis(33));
	}

	@Test
	void sectionImposesNoDeadlineOnStreams() {
		Policies policies = Policies.server().section(DeadlineSettings.MISSING, MissingDeadline.REJECT);
		DeadlinePolicy stream = resolve(policies, "a.B/C", false, null).deadline();
		assertThat(stream.missing()).isEqualTo(MissingDeadline.ALLOW);
		assertThat(stream.maxNanos()).isEqualTo(DeadlinePolicy.UNLIMITED);
	}

	@Test
	void valuesKeepTheScopeOfTheirLevel() {
		Policies policies = Policies.server().policy("s", "a.B").with(DeadlineSettings.MAX, LONG).end();
		DeadlinePolicy stream = resolve(policies, "a.B/C", false, null).deadline();
		assertThat(stream.maxNanos()).isEqualTo(LONG.toNanos());
		assertThat(stream.missing()).isEqualTo(MissingDeadline.ALLOW);
	}

	@Test
	void policyWithDefaultMakesStreamsTakePart() {
		Policies policies = Policies.server().policy("s", "a.B").with(DeadlineSettings.DEFAULT, LONG).end();
		DeadlinePolicy stream = resolve(policies, "a.B/C", false, null).deadline();
		assertThat(stream.missing()).isEqualTo(MissingDeadline.DEFAULT);
		assertThat(stream.defaultNanos()).isEqualTo(LONG.toNanos());
	}

	@Test
	void reserveOfTheSectionAppliesToStreamsToo() {
		Policies policies = Policies.client().section(DeadlineSettings.allowance(Side.CLIENT).fraction(), 0.25);
		assertThat(resolve(policies, "a.B/C", false, "x").deadline().allowance().fraction()).isEqualTo(0.25);
	}

	@Test
	void inheritedDefaultIsShortenedToTheMaxOfTheMethod() {
		Policies policies = Policies.server().policy("m", "a.B/C").with(DeadlineSettings.MAX, LONG).end();
		assertThat(resolve(policies, "a.B/C", true, null).deadline().defaultNanos()).isEqualTo(LONG.toNanos());
	}

	@Test
	void totalOfTheSectionIsNoLimitOfAMethod() {
		Policies policies = Policies.server()
			.section(AdmissionSettings.MAX_CONCURRENT, 7)
			.section(AdmissionSettings.ADAPTIVE, true)
			.section(AdmissionSettings.MAX_PER_SECOND, 1.05)
			.policy("s", "a.B")
			.with(AdmissionSettings.MAX_CONCURRENT, 33)
			.end()
			.policy("m", "a.B/C")
			.with(AdmissionSettings.MAX_PER_SECOND, 0.5)
			.end();
		PolicyTable table = PolicyTable.compile(policies.define()).get(0);
		assertThat(table.totalAdmission()).isEqualTo(new AdmissionPolicy(7, true, 1.05));
		assertThat(table.totalSettings()).containsOnlyKeys("admission.max-concurrent", "admission.adaptive",
				"admission.max-per-second");
		assertThat(table.limitsAdmission()).isTrue();
		assertThat(table.resolveServed("a.B/C", true).admission()).isEqualTo(new AdmissionPolicy(33, false, 0.5));
		assertThat(table.resolveServed("a.B/D", true).admission())
			.isEqualTo(new AdmissionPolicy(33, false, AdmissionPolicy.UNLIMITED_RATE));
		ServedMethodPolicy other = table.resolveServed("x.Y/Z", true);
		assertThat(other.admission().isOff()).isTrue();
		assertThat(other.settings()).doesNotContainKey("admission.max-concurrent");
	}

	@Test
	void nothingLimitsAdmissionUnlessSomebodyAsksForIt() {
		PolicyTable table = PolicyTable
			.compile(Policies.server().policy("s", "a.B").with(DeadlineSettings.MAX, LONG).end().define())
			.get(0);
		assertThat(table.limitsAdmission()).isFalse();
		assertThat(table.totalAdmission().isOff()).isTrue();
		assertThat(table.totalSettings()).isEmpty();
		assertThat(table.resolveServed("a.B/C", true).admission().isOff()).isTrue();
	}

	@Test
	void healthAndReflectionAreExempt() {
		PolicyTable table = PolicyTable.compile(Policies.server().define()).get(0);
		assertThat(table.resolveServed("grpc.health.v1.Health/Check", true).exempt()).isTrue();
		assertThat(table.resolveServed("grpc.health.v1.Healthy/Check", true).exempt()).isFalse();
	}

	@Test
	void absurdDurationsSaturate() {
		Policies policies = Policies.server()
			.policy("m", "a.B/C")
			.with(DeadlineSettings.MAX, Duration.ofSeconds(Long.MAX_VALUE))
			.end();
		assertThat(resolve(policies, "a.B/C", true, null).deadline().maxNanos()).isEqualTo(Long.MAX_VALUE);
	}

	private static Duration max(Policies policies, String method, String client) {
		return Duration.ofNanos(resolve(policies, method, true, client).deadline().maxNanos());
	}

	private static MethodPolicy resolve(Policies policies, String method, boolean unary, String client) {
		PolicyTable table = PolicyTable.compile(policies.define()).get(0);
		return (client != null) ? table.resolveCalled(method, unary, client) : table.resolveServed(method, unary);
	}

}
