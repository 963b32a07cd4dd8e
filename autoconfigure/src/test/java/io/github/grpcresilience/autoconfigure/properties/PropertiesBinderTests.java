package io.github.grpcresilience.autoconfigure.properties;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties;
import io.github.grpcresilience.internal.policy.AttemptBudgetPolicy;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.ServedMethodPolicy;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;

class PropertiesBinderTests {

	private final StandardEnvironment environment = new StandardEnvironment();

	@Test
	void nothingWrittenGivesTheBuiltInPolicies() {
		BoundProperties bound = PropertiesBinder.bind(this.environment);
		assertThat(bound.faults()).isEmpty();
		assertThat(new PolicyDefinitions(bound).server()).isEqualTo(PolicyDefinition.builtIn(Side.SERVER));
		assertThat(new PolicyDefinitions(bound).client()).isEqualTo(PolicyDefinition.builtIn(Side.CLIENT));
	}

	@Test
	void documentedDefaultsAreTheBuiltInOnes() {
		GrpcResilienceProperties properties = PropertiesBinder.bind(this.environment).properties();
		Map<String, Setting<?>> server = served("a.B/C").settings();
		assertThat(server.get("deadline.missing").value()).isEqualTo(properties.server().deadline().missing());
		assertThat(server.get("deadline.default").value()).isEqualTo(properties.server().deadline().defaultBudget());
		assertThat(server.get("deadline.max").value()).isEqualTo(properties.server().deadline().max());
		GrpcResilienceProperties.AnswerMargin margin = properties.server().deadline().answerMargin();
		assertThat(server.get("deadline.answer-margin.fraction").value()).isEqualTo(margin.fraction());
		assertThat(server.get("deadline.answer-margin.min").value()).isEqualTo(margin.min());
		assertThat(server.get("deadline.answer-margin.max").value()).isEqualTo(margin.max());
		Map<String, Setting<?>> client = called("a.B/C").settings();
		assertThat(client.get("deadline.missing").value()).isEqualTo(properties.client().deadline().missing());
		assertThat(client.get("deadline.default").value()).isEqualTo(properties.client().deadline().defaultBudget());
		assertThat(client.get("deadline.max").value()).isEqualTo(properties.client().deadline().max());
		GrpcResilienceProperties.Reserve reserve = properties.client().deadline().reserve();
		assertThat(client.get("deadline.reserve.fraction").value()).isEqualTo(reserve.fraction());
		assertThat(client.get("deadline.reserve.min").value()).isEqualTo(reserve.min());
		assertThat(client.get("deadline.reserve.max").value()).isEqualTo(reserve.max());
	}

	@Test
	void eachValueKnowsPropertyFileAndLine() throws Exception {
		yaml("""
				grpc.resilience:
				  server:
				    deadline:
				      default: 1050ms
				    policies:
				      reserve:
				        methods: [shop.v1.Inventory/Reserve]
				        deadline:
				          missing: reject
				""");
		Map<String, Setting<?>> settings = served("shop.v1.Inventory/Reserve").settings();
		assertThat(settings.get("deadline.default").value()).isEqualTo(Duration.ofMillis(1050));
		assertThat(settings.get("deadline.default").origin().property())
			.isEqualTo("grpc.resilience.server.deadline.default");
		assertThat(settings.get("deadline.default").origin().location()).contains("test.yml").endsWith("4:16");
		assertThat(settings.get("deadline.missing").origin().property())
			.isEqualTo("grpc.resilience.server.policies.reserve.deadline.missing");
		assertThat(settings.get("deadline.missing").origin().location()).endsWith("9:20");
		assertThat(settings.get("deadline.max").origin().isBuiltIn()).isTrue();
	}

	@Test
	void listsEveryFaultWithOriginAndRemedy() throws Exception {
		yaml("""
				grpc.resilience:
				  mode: enforced
				  server:
				    deadline:
				      maximum: 3s
				      default: soon
				      answer-margin: {fraction: 2}
				    policies:
				      Reports:
				        methods: [shop.v1.Reports/, shop.v1.Reports]
				        deadline: {max: -7s, mni: 1s}
				  client:
				    deadline: {default: 3s, max: 1s}
				    policies:
				      one: {methods: [a.B/C], deadline: {max: 1s}}
				      two: {methods: [a.B/C], deadline: {max: 2s}}
				  clients: {typo: x}
				  typo: x
				""");
		List<PolicyFault> faults = faults();
		assertThat(faults).extracting(PolicyFault::property)
			.containsExactlyInAnyOrder("grpc.resilience.mode", "grpc.resilience.server.deadline.default",
					"grpc.resilience.server.deadline.maximum", "grpc.resilience.server.policies.reports.deadline.mni",
					"grpc.resilience.typo", "grpc.resilience.clients.typo",
					"grpc.resilience.server.deadline.answer-margin.fraction", "grpc.resilience.server.policies.Reports",
					"grpc.resilience.server.policies.reports.methods[0]",
					"grpc.resilience.server.policies.reports.deadline.max",
					"grpc.resilience.client.policies.two.deadline.max", "grpc.resilience.client.deadline.default");
		assertThat(faults).allSatisfy((fault) -> {
			assertThat(fault.location()).contains("test.yml");
			assertThat(fault.rule()).isNotBlank();
			assertThat(fault.remedy()).isNotBlank();
		});
		assertThat(faults).filteredOn((fault) -> fault.property().endsWith("maximum"))
			.singleElement()
			.satisfies((fault) -> {
				assertThat(fault.value()).isEqualTo("3s");
				assertThat(fault.location()).contains("5:16");
				assertThat(fault.remedy()).contains("missing, default, max, answer-margin");
			});
	}

	@Test
	void maxBelowDefaultIsAFault() throws Exception {
		yaml("""
				grpc.resilience:
				  client.deadline: {default: 3s, max: 1s}
				""");
		assertThat(faults()).extracting(PolicyFault::property)
			.containsExactly("grpc.resilience.client.deadline.default");
	}

	@Test
	void environmentVariableOverridesAFieldOfADashedPolicy() throws Exception {
		yaml("""
				grpc.resilience.client.policies:
				  inventory-reads:
				    methods: [a.B/C]
				    deadline: {default: 1s, max: 3s}
				""");
		this.environment.getPropertySources()
			.addFirst(new SystemEnvironmentPropertySource(
					"test-" + StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
					Map.of("GRPC_RESILIENCE_CLIENT_POLICIES_INVENTORYREADS_DEADLINE_DEFAULT", "177ms")));
		PolicyDefinition client = new PolicyDefinitions(PropertiesBinder.bind(this.environment)).client();
		assertThat(client.policies()).singleElement()
			.satisfies((layer) -> assertThat(layer.name().value()).isEqualTo("inventory-reads"));
		assertThat(faults()).isEmpty();
		Map<String, Setting<?>> settings = called("a.B/C").settings();
		assertThat(settings.get("deadline.default").value()).isEqualTo(Duration.ofMillis(177));
		assertThat(settings.get("deadline.max").value()).isEqualTo(Duration.ofSeconds(3));
	}

	@Test
	void policyMayBeSpreadOverFiles() throws Exception {
		yaml("grpc.resilience.server.policies.p.deadline.max: 1s");
		yaml("grpc.resilience.server.policies.p: {methods: [a.B], deadline: {max: 2s, default: 33ms}}");
		Map<String, Setting<?>> settings = served("a.B/C").settings();
		assertThat(settings.get("deadline.max").value()).isEqualTo(Duration.ofSeconds(1));
		assertThat(settings.get("deadline.default").value()).isEqualTo(Duration.ofMillis(33));
	}

	@Test
	void sameFieldUnderTwoFormsOfOneNameIsAFault() throws Exception {
		yaml("""
				grpc.resilience.client.policies:
				  inventory-reads: {methods: [a.B/C], deadline: {max: 1s}}
				  inventoryreads: {deadline: {max: 3s}}
				""");
		assertThat(faults()).extracting(PolicyFault::rule)
			.singleElement()
			.asString()
			.startsWith("is written twice, also as grpc.resilience.client.policies.inventory");
	}

	@Test
	void twoFormsOfOneNameAreOnePolicy() throws Exception {
		yaml("""
				grpc.resilience.client.policies:
				  inventory-reads: {methods: [a.B/C], deadline: {max: 7s}}
				  inventoryreads: {deadline: {default: 33ms}}
				""");
		assertThat(faults()).isEmpty();
		Map<String, Setting<?>> settings = called("a.B/C").settings();
		assertThat(settings.get("deadline.max").value()).isEqualTo(Duration.ofSeconds(7));
		assertThat(settings.get("deadline.default").value()).isEqualTo(Duration.ofMillis(33));
	}

	@Test
	void propertiesOfLaterVersionsAreUnknown() throws Exception {
		yaml("grpc.resilience.client.policies.p: {methods: [a.B], outlier-detection: {max-ejection: 3}}");
		assertThat(faults()).extracting(PolicyFault::property)
			.containsExactly("grpc.resilience.client.policies.p.outlier-detection.max-ejection");
	}

	@Test
	void retryIsWrittenAsTheContractSays() throws Exception {
		yaml("""
				grpc.resilience.client:
				  attempt-budget: {ratio: 0.2, min-per-second: 0.5, window: 7s}
				  policies:
				    reads:
				      methods: [a.B/C]
				      idempotent: true
				      retry:
				        max-attempts: 4
				        retryable-status-codes: [UNAVAILABLE, resource-exhausted]
				        initial-backoff: 7ms
				        max-backoff: 70ms
				        backoff-multiplier: 1.5
				        jitter: 0.1
				        attempt-timeout: 107ms
				""");
		assertThat(faults()).isEmpty();
		CalledMethodPolicy policy = called("a.B/C");
		assertThat(policy.settings().get("idempotent").value()).isEqualTo(true);
		assertThat(policy.attempts())
			.isEqualTo(new AttemptPolicy.Retry(4, Set.of(Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED),
					7_000_000, 70_000_000, 1.5, 0.1, 107_000_000));
		assertThat(policy.settings().get("retry.retryable-status-codes").origin().location()).contains("test.yml",
				"9:");
		PolicyDefinitions definitions = new PolicyDefinitions(PropertiesBinder.bind(this.environment));
		assertThat(PolicyTable.compile(definitions.client()).get(0).attemptBudget())
			.isEqualTo(new AttemptBudgetPolicy(0.2, 0.5, 7_000_000_000L));
	}

	@ParameterizedTest
	@CsvSource({ "40ms, 40000000, 0", "p95, 0, 95", "p99.9, 0, 99.9" })
	void hedgeIsWrittenAsTheContractSays(String delay, long nanos, double percentile) throws Exception {
		yaml("grpc.resilience.client.policies.search: {methods: [a.B/C], hedge: {max-attempts: 3, delay: " + delay
				+ ", non-fatal-status-codes: ABORTED}}");
		assertThat(faults()).isEmpty();
		assertThat(called("a.B/C").attempts())
			.isEqualTo(new AttemptPolicy.Hedge(3, new HedgeDelay(nanos, percentile), Set.of(Status.Code.ABORTED)));
	}

	@Test
	void everyMistakeInAttemptsIsListed() throws Exception {
		yaml("""
				grpc.resilience.client.policies:
				  reads:
				    methods: [a.B/C]
				    retry: {max-attempts: many, retryable-status-codes: [OK], jitter: 7, attempt-timeout: 1h}
				    deadline: {max: 7s}
				    hedge: {delay: soon}
				  search:
				    methods: [a.B/D]
				    retry: {max-attempts: 2}
				    hedge: {max-attempts: 2, non-fatal-status-codes: [BUSY]}
				""");
		assertThat(faults())
			.extracting((fault) -> fault.property().substring("grpc.resilience.client.policies.".length()))
			.containsExactlyInAnyOrder("reads.retry.max-attempts", "reads.retry.retryable-status-codes",
					"reads.retry.jitter", "reads.retry.attempt-timeout", "reads.hedge.delay",
					"search.hedge.max-attempts", "search.hedge.non-fatal-status-codes[0]");
		assertThat(faults()).allSatisfy((fault) -> assertThat(fault.remedy()).isNotBlank());
	}

	/** 14 is what gRPC calls UNAVAILABLE on the wire. */
	@ParameterizedTest
	@ValueSource(strings = { "[UNAVAILABL, OK, 14]", "[OK, 14, UNAVAILABL, ABORTED]" })
	void eachWrongElementOfAListHasItsOwnFault(String codes) throws Exception {
		yaml("grpc.resilience.client.policies.p: {methods: [a.B], retry: {retryable-status-codes: " + codes + "}}");
		assertThat(faults()).extracting(PolicyFault::value).containsExactlyInAnyOrder("UNAVAILABL", "OK");
		assertThat(faults()).filteredOn((fault) -> fault.value().equals("UNAVAILABL"))
			.singleElement()
			.satisfies((fault) -> assertThat(fault.remedy()).contains("UNAVAILABLE", "RESOURCE_EXHAUSTED"));
	}

	@Test
	void listInOneTextHasOneFault() throws Exception {
		yaml("grpc.resilience.client.policies.p: {methods: [a.B], hedge: {non-fatal-status-codes: 'ABORTED,BUSY'}}");
		assertThat(faults()).singleElement().satisfies((fault) -> {
			assertThat(fault.value()).isEqualTo("ABORTED,BUSY");
			assertThat(fault.rule()).contains("not one of the values");
			assertThat(fault.remedy()).contains("UNAVAILABLE");
		});
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "client.policies.p.circuit-breaker | nope | instance, config",
					"client.policies.p.retry | 3 | max-attempts", "client.policies.p | x | methods",
					"server.deadline | 5s | missing, default, max", "server | on | deadline",
					"cancellation.jdbc | off | beans" })
	void valueWhereASectionBelongsIsShownWithItsPlace(String property, String value, String below) throws Exception {
		yaml("grpc.resilience." + property + ": " + value);
		yaml("grpc.resilience.client.policies.q.methods: [a.B]");
		assertThat(faults()).filteredOn((fault) -> fault.property().equals("grpc.resilience." + property))
			.singleElement()
			.satisfies((fault) -> {
				assertThat(fault.value())
					.isEqualTo(value.equals("on") ? "true" : value.equals("off") ? "false" : value);
				assertThat(fault.location()).contains("test.yml");
				assertThat(fault.remedy()).contains(below);
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "grpc-resilience.mode", "grpcResilience.mode", "grpc_resilience.mode",
			"grpc.resilence.mode", "grpc.resiliency.server.deadline.max" })
	void rootThatLooksLikeOursIsFound(String property) throws Exception {
		yaml(property + ": observe");
		assertThat(faults()).isEmpty();
		assertThat(unread()).singleElement().satisfies((finding) -> {
			assertThat(finding.id()).isEqualTo("UNKNOWN_PROPERTY");
			assertThat(finding.subject()).isEqualTo(property);
			assertThat(finding.message()).contains("test.yml");
		});
	}

	@Test
	void variableThatIsNotReadIsFound() throws Exception {
		yaml("grpc.resilience.client.policies.inventory-reads: {methods: [a.B], deadline: {max: 3s}}");
		variables(Map.of("GRPC_RESILIENCE_MODE", "observe", "GRPC_RESILIENCE_SERVER_DEADLINE_ANSWERMARGIN_MAX", "7ms",
				"GRPC_RESILIENCE_CLIENT_POLICIES_INVENTORYREADS_METHODS_0", "a.C", "GRPC_RESILIENCE_SERVER_DEADLIN_MAX",
				"7s", "GRPC_RESILENCE_MODE", "observe", "GRPC_CLIENT_X", "y"));
		assertThat(faults()).isEmpty();
		assertThat(unread()).extracting(Finding::subject)
			.containsExactlyInAnyOrder("GRPC_RESILIENCE_SERVER_DEADLIN_MAX", "GRPC_RESILENCE_MODE");
	}

	@Test
	void variableThatIsOverriddenIsNone() throws Exception {
		yaml("grpc.resilience.mode: observe");
		variables(Map.of("GRPC_RESILIENCE_MODE", "enforce"));
		assertThat(unread()).isEmpty();
	}

	private List<Finding> unread() {
		return PropertiesBinder.bind(this.environment).findings();
	}

	private void variables(Map<String, Object> variables) {
		String name = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
		this.environment.getPropertySources().replace(name, new SystemEnvironmentPropertySource(name, variables));
	}

	private List<PolicyFault> faults() {
		BoundProperties bound = PropertiesBinder.bind(this.environment);
		List<PolicyFault> faults = new java.util.ArrayList<>(bound.faults());
		PolicyDefinitions definitions = new PolicyDefinitions(bound);
		faults.addAll(PolicyTable.check(definitions.server(), definitions.client()));
		return faults;
	}

	private ServedMethodPolicy served(String method) {
		PolicyDefinitions definitions = new PolicyDefinitions(PropertiesBinder.bind(this.environment));
		return PolicyTable.compile(definitions.server()).get(0).resolveServed(method, true);
	}

	private CalledMethodPolicy called(String method) {
		PolicyDefinitions definitions = new PolicyDefinitions(PropertiesBinder.bind(this.environment));
		return PolicyTable.compile(definitions.client()).get(0).resolveCalled(method, true, "x");
	}

	private void yaml(String text) throws Exception {
		ByteArrayResource resource = new ByteArrayResource(text.getBytes(StandardCharsets.UTF_8), "test.yml");
		new YamlPropertySourceLoader().load("test" + this.environment.getPropertySources().size(), resource)
			.forEach(this.environment.getPropertySources()::addLast);
	}

}
