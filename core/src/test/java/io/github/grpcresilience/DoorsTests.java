package io.github.grpcresilience;

import java.util.List;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the library promises to those who use it. Whoever makes a type public adds it
 * here, and keeps it from then on, or puts it into a package under {@code internal}.
 */
class DoorsTests {

	private static final String BASE = GrpcResilience.class.getPackageName() + ".";

	private static final int MOST = 52;

	private static final List<String> PROMISED = List.of("Budget", "CallWork", "Connections", "Detached", "Drain",
			"Finding", "GrpcResilience", "GrpcResilienceBuilder", "Inspection", "admission.AdaptiveLimit",
			"admission.AdaptiveLimits", "admission.netflix.NetflixLimits", "call.CallEndedException",
			"cancel.reactor.CallSubscriptions", "cancel.reactor.ReactiveCalls", "error.BuiltInErrors",
			"error.ErrorMapper", "error.ErrorSettings", "error.ErrorTexts", "error.GrpcError", "error.GrpcErrors",
			"error.InvalidRequest", "error.RequestCheck", "error.protovalidate.ProtovalidateCheck",
			"error.resilience4j.BulkheadErrors", "error.resilience4j.CircuitBreakerErrors",
			"error.resilience4j.RateLimiterErrors", "error.validation.ValidationErrors", "event.AttemptEnd",
			"event.EventSink", "event.ResilienceEvent", "event.Work", "event.WorkCounts", "event.WorkFate",
			"gate.GateSource", "gate.resilience4j.BreakerConfigs", "gate.resilience4j.BreakerInstances",
			"gate.resilience4j.Bulkheads", "gate.resilience4j.RateLimiters", "policy.ClientPolicies",
			"policy.CommitAfterEnd", "policy.HedgeDelay", "policy.InvalidPolicyException", "policy.MissingDeadline",
			"policy.Mode", "policy.PolicyFault", "policy.ServerPolicies", "policy.WrittenPolicy",
			"policy.WrittenSettings", "status.Reason", "stream.StreamWriter", "stream.StreamWriterBuilder");

	private static final JavaClasses CORE = new ClassFileImporter()
		.importUrl(GrpcResilience.class.getProtectionDomain().getCodeSource().getLocation());

	@Test
	void whatIsPromisedIsListedHere() {
		List<String> promised = CORE.stream()
			.filter((type) -> type.getModifiers().contains(JavaModifier.PUBLIC))
			.filter((type) -> !type.isNestedClass() && !type.getSimpleName().equals("package-info"))
			.map(JavaClass::getName)
			.filter((name) -> !name.startsWith(BASE + "internal."))
			.map((name) -> name.substring(BASE.length()))
			.toList();
		assertThat(promised).containsExactlyInAnyOrderElementsOf(PROMISED).hasSizeLessThanOrEqualTo(MOST);
	}

}
