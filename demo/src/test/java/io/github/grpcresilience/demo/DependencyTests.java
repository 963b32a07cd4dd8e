package io.github.grpcresilience.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What changes in an application on the day on which somebody adds the dependency.
 */
class DependencyTests {

	/** Jars and beans of the circuit breakers that come along. */
	private static final List<Announced> BROUGHT = List.of(
			Announced.of("getting-started", "resilience4j is there for [circuit breakers](circuit-breakers.md)",
					"\\+ bean .*resilience4j.*",
					"\\+ bean (parameterNameDiscoverer|spelExpressionParser) org\\.springframework\\..*"),
			Announced.of("getting-started", "Its endpoints are there as well", "[-+] request \\d+ GET /actuator .*"));

	private static final List<Announced> LOADED = List.of(
			Announced.of("getting-started", "gRPC Resilience is on, mode enforce", "\\+ bean .*grpcresilience.*",
					"\\+ log INFO .* gRPC Resilience is on, mode .*"),
			Announced.of("operations", "runs without any deadline", "\\+ log WARN .* runs without any deadline; .*"));

	private static final String STUB_OF_CONTROLLER = " request \\d+ (GET|POST)"
			+ " /(prices|within|asked|listed|callable|future|task|cart|bought)/";

	private static final String FAILED_HTTP = "(NOT_FOUND|INVALID_ARGUMENT|UNAUTHENTICATED|UNAVAILABLE|INTERNAL"
			+ "|thrown|IllegalState|never|pen/failing)";

	private static final List<Announced> ENFORCED = List.of(Announced.of("getting-started",
			"failure of a stub that an HTTP controller lets through | 500 | [the status that fits](http-edge.md)",
			"-" + STUB_OF_CONTROLLER + FAILED_HTTP + " .*= 500 .*",
			"\\+" + STUB_OF_CONTROLLER + FAILED_HTTP
					+ " (?!Accept text).*= (400|401|404|500|503|504) application/problem\\+json \\[code, .*",
			"\\+" + STUB_OF_CONTROLLER + FAILED_HTTP + " Accept text.*= (404|503) text/html.*"),
			Announced.of("http-edge", "Spring's `http.server.requests` counts the answers by status",
					"- meter http.server.requests .*error=StatusRuntimeException,.* status=500, .*",
					"\\+ meter http.server.requests .*error=StatusRuntimeException,.* status=50[034], .*",
					"- span - > http (get|post) .*: .*exception=StatusRuntimeException.* status=500, .*",
					"\\+ span - > http (get|post) .*: .*exception=StatusRuntimeException.* status=50[034], .*",
					"[-+] span (http (get|post) \\S+|-) > (secured request|security filterchain after) INTERNAL ERROR"
							+ " Request processing failed: io.grpc.StatusRuntimeException: .*"
							+ "|- span http (get /error|post \\S+) > (secured request|security filterchain (before|after)) INTERNAL OK .*"),
			Announced.of("http-edge", "Below 500 nothing is logged, and the observation has no error",
					"\\+ meter http.server.requests .*error=none,.* outcome=CLIENT_ERROR, status=40[014], uri=/[a-z]+/\\{sku}]",
					"\\+ span - > http get .* UNSET .*exception=none.* outcome=CLIENT_ERROR, status=40[014], uri=/[a-z]+/\\{sku}} \\[]"),
			Announced.of("http-edge", "The log has one line with method, path, status, code",
					"- log ERROR .*\\[dispatcherServlet] .* io.grpc.StatusRuntimeException",
					"\\+ log ERROR .*GrpcResilience (GET|POST) \\S+ was answered #: .*"),
			Announced.of("getting-started",
					"unary call that you make, without a deadline of its own or an inherited one",
					"- request .* (/fallback|shop.v1.Prices/Ask )\\S* .*content-type grpc-accept-encoding traceparent .*",
					"\\+ request .* (/fallback|shop.v1.Prices/Ask )\\S* .*content-type grpc-accept-encoding grpc-timeout traceparent .*"),
			Announced.of("getting-started", "exception of a handler that nobody maps | `UNKNOWN`",
					"- request \\d+ (shop.v1.Prices/\\w+ |GET /fallback/)\\w+ .*UNKNOWN.* Application error .*",
					"\\+ request \\d+ shop.v1.Prices/(Get|Ask|Save) \\w+ = (INTERNAL internal error; .*|NOT_FOUND words .*|ALREADY_EXISTS .*)"),
			Announced.of("getting-started", "failure of a stub that a handler lets through",
					"\\+ request \\d+ shop.v1.Prices/Ask (NOT_FOUND = NOT_FOUND words|UNAVAILABLE = UNAVAILABLE a call to) .*"),
			Announced.of("getting-started", "else `INTERNAL` with an id, logged once",
					"- log ERROR io.grpc.internal.SerializingExecutor .*",
					"\\+ log ERROR .*GrpcResilience Call of .* who was told INTERNAL with id #.*"),
			Announced.of("errors", "Meters and traces see the answer", "- meter grpc\\.(client|server).*UNKNOWN.*",
					"\\+ meter grpc\\.(client|server).*(NOT_FOUND|UNAVAILABLE|INTERNAL|ALREADY_EXISTS|DEADLINE_EXCEEDED).*",
					"- span .* > shop.v1.Prices/.*grpc.status_code=UNKNOWN.*",
					"\\+ span .* > shop.v1.Prices/.*grpc.status_code=(NOT_FOUND|UNAVAILABLE|INTERNAL|ALREADY_EXISTS).*"),
			Announced.of("deadlines", "share of the budget by which the answer comes before the deadline",
					"- request \\d+ shop.v1.Prices/Get never = CANCELLED .*",
					"\\+ request \\d+ shop.v1.Prices/Get never = DEADLINE_EXCEEDED deadline exceeded, after .* of a budget of .*",
					"- span .* > shop.v1.Prices/Get SERVER .*grpc.status_code=OK, .*cancelled.*",
					"\\+ span .* > shop.v1.Prices/Get SERVER .*grpc.status_code=DEADLINE_EXCEEDED.*"));

	private static final List<Announced> TRACED = List.of(Announced.of("http-edge",
			"failed gRPC call that nobody handles | the status below",
			"- agent (SERVER|CLIENT) (GET|POST)\\b.* io.opentelemetry.(tomcat|java-http-client).*error.type=500, .*",
			"\\+ agent (SERVER|CLIENT) (GET|POST)\\b.* io.opentelemetry.(tomcat|java-http-client).*"
					+ "http.response.status_code=(400|401|404|503|504), .*"),
			Announced.of("http-edge", "They are shown with the status of the failure",
					"\\+ agent INTERNAL OnCommittedResponseWrapper.sendError .*"),
			Announced.of("errors", "Meters and traces see the answer",
					"- agent (SERVER|CLIENT) shop.v1.Prices/.*rpc.grpc.status_code=[124], .*",
					"\\+ agent (SERVER|CLIENT) shop.v1.Prices/.*rpc.grpc.status_code=(4|5|6|13|14), .*"));

	@Test
	void itChangesNothingButWhatIsAnnounced() throws Exception {
		Set<String> before;
		try (Run without = Run.start("without", false); Run with = Run.start("with", true)) {
			before = without.seen();
			check("with", before, with.seen(), BROUGHT, LOADED, ENFORCED);
		}
		try (Run observing = Run.start("observing", true, "--grpc.resilience.mode=observe");
				Run disabled = Run.start("disabled", true, "--grpc.resilience.enabled=false")) {
			check("observing", before, observing.seen(), BROUGHT, LOADED);
			check("disabled", before, disabled.seen(), BROUGHT);
		}
	}

	@Test
	void itChangesNoMoreThanThatUnderTheAgentOfOpenTelemetry() throws Exception {
		try (Run without = Run.startWithAgent("agent-without", false);
				Run with = Run.startWithAgent("agent-with", true)) {
			check("agent-with", without.seen(), with.seen(), BROUGHT, LOADED, ENFORCED, TRACED);
		}
	}

	@SafeVarargs
	private static void check(String name, Set<String> before, Set<String> now, List<Announced>... expected)
			throws IOException {
		List<String> differences = new ArrayList<>();
		before.stream().filter((line) -> !now.contains(line)).forEach((line) -> differences.add("- " + line));
		now.stream().filter((line) -> !before.contains(line)).forEach((line) -> differences.add("+ " + line));
		Files.write(Path.of("target", "demo", name + ".diff"), differences);
		List<String> patterns = new ArrayList<>();
		for (List<Announced> list : expected) {
			for (Announced announced : list) {
				assertThat(Path.of("..", "docs", announced.page() + ".md")).content().contains(announced.sentence());
				patterns.addAll(announced.lines());
			}
		}
		assertThat(differences).as(name).allMatch((line) -> patterns.stream().anyMatch(line::matches));
		assertThat(patterns).as(name)
			.allMatch((pattern) -> differences.stream().anyMatch((line) -> line.matches(pattern)));
	}

	/**
	 * What the documentation announces.
	 *
	 * @param sentence what it says
	 * @param lines what that accounts for
	 */
	private record Announced(String page, String sentence, List<String> lines) {

		static Announced of(String page, String sentence, String... lines) {
			return new Announced(page, sentence, List.of(lines));
		}

	}

}
