package io.github.grpcresilience.stacks;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import com.jayway.jsonpath.JsonPath;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Two applications with a network between them, and a foreign client in front: what
 * callers see is the same on both stacks.
 */
@TestInstance(Lifecycle.PER_CLASS)
class StackTests {

	private final HttpClient http = HttpClient.newHttpClient();

	private ConfigurableApplicationContext inventory;

	private ConfigurableApplicationContext gateway;

	private ManagedChannel toInventory;

	private ManagedChannel toGateway;

	@BeforeAll
	void start() {
		this.inventory = new SpringApplicationBuilder(Inventory.class).web(WebApplicationType.NONE)
			.properties("spring.application.name=inventory", Stack.SERVER_PORT + "=0", "spring.jmx.enabled=false",
					"spring.datasource.url=jdbc:h2:mem:inventory",
					"grpc.resilience.server.policies.slow.methods=test.v1.Shop/Slow,test.v1.Shop/Work",
					"grpc.resilience.server.policies.slow.deadline.max=333ms",
					"grpc.resilience.server.policies.strict.methods=test.v1.Shop/Strict",
					"grpc.resilience.server.policies.strict.deadline.missing=reject",
					"grpc.resilience.server.policies.limited.methods=test.v1.Shop/Limited",
					"grpc.resilience.server.policies.limited.admission.max-concurrent=1",
					"grpc.resilience.server.connection.max-age=2s")
			.run();
		int port = this.inventory.getBean(ServerPort.class).port();
		List<String> properties = new ArrayList<>(List.of("spring.application.name=gateway", "server.port=0",
				"server.shutdown=immediate", Stack.SERVER_PORT + "=0", "spring.jmx.enabled=false",
				"spring.datasource.url=jdbc:h2:mem:gateway", "management.endpoints.web.exposure.include=*",
				"grpc.resilience.edge.default-budget=4321ms", "grpc.resilience.client.policies.reads.clients=inventory",
				"grpc.resilience.client.policies.reads.methods=test.v1.Shop/Flaky",
				"grpc.resilience.client.policies.reads.idempotent=true",
				"grpc.resilience.client.policies.reads.retry.max-attempts=3",
				"grpc.resilience.client.policies.reads.retry.initial-backoff=7ms",
				"grpc.resilience.client.policies.guarded.methods=test.v1.Shop/Broken",
				"grpc.resilience.client.policies.guarded.circuit-breaker.instance=inventory",
				"resilience4j.circuitbreaker.instances.inventory.sliding-window-size=2",
				"resilience4j.circuitbreaker.instances.inventory.minimum-number-of-calls=2",
				"grpc.resilience.client.policies.unknown.clients=biling",
				"grpc.resilience.client.policies.unknown.methods=test.v1.Billing",
				"grpc.resilience.client.policies.unknown.deadline.default=1s", Stack.SERVER_MAX_AGE + "=7m",
				Stack.CLIENT_KEEPALIVE + "=17m", "grpc.resilience.client.connections.inventory.keepalive.time=18m",
				"grpc.resilience.client.connections.inventory.keepalive.timeout=9s"));
		properties.addAll(List.of(Stack.client("inventory", port)));
		this.gateway = new SpringApplicationBuilder(Gateway.class).web(WebApplicationType.SERVLET)
			.properties(properties.toArray(String[]::new))
			.run();
		this.toInventory = channel(port);
		this.toGateway = channel(this.gateway.getBean(ServerPort.class).port());
		call(this.toGateway, Shop.WORK, "hop", 20_000); // the first call takes its time
	}

	@AfterAll
	void stop() {
		this.toGateway.shutdownNow();
		this.toInventory.shutdownNow();
		this.gateway.close();
		this.inventory.close();
	}

	@Test
	void callWithoutDeadlineGetsTheDefault() {
		assertThat(Long.parseLong(Shop.call(this.toInventory, Shop.REMAINING, ""))).isBetween(1L, 5_000L);
	}

	@Test
	void callWithoutDeadlineIsRejectedWhereThePolicySaysSo() {
		GrpcErrors errors = failure(() -> Shop.call(this.toInventory, Shop.STRICT, ""));
		assertThat(errors.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(errors.reason()).contains("DEADLINE_REQUIRED");
	}

	@Test
	void serverAnswersShortlyBeforeItsDeadlineAndMetersSeeIt() {
		GrpcErrors errors = failure(() -> call(this.toInventory, Shop.SLOW, "", 20_000));
		assertThat(errors.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(errors.reason()).contains("DEADLINE_EXCEEDED");
		assertThat(errors.metadata()).containsEntry("service", "inventory")
			.containsEntry("method", "test.v1.Shop/Slow")
			.containsEntry("side", "server")
			.containsEntry("budget_ms", "333");
		await().untilAsserted(() -> assertThat(timers("grpc.server", "Slow")).isNotEmpty()
			.allSatisfy((id) -> assertThat(id).contains("DEADLINE_EXCEEDED")));
	}

	@Test
	void budgetTravelsDownAHop() {
		assertThat(Long.parseLong(call(this.toGateway, Shop.WORK, "hop", 1_987))).isBetween(1L, 1_987L - 10);
	}

	@Test
	void failuresAreAttemptedAgainByPolicyAsOneCallOfTheMeters() {
		assertThat(Shop.call(Stack.channel(this.gateway, "inventory"), Shop.FLAKY, "one")).isEqualTo("attempt 3");
		assertThat(timers(this.gateway, "grpc.client", "Flaky")).isNotEmpty()
			.allSatisfy((timer) -> assertThat(timer.count()).isOne());
	}

	@Test
	void mapperSaysWhatAnExceptionMeans() {
		GrpcErrors errors = failure(() -> Shop.call(this.toInventory, Shop.FAIL, "mapped"));
		assertThat(errors.code()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(errors.reason()).contains("SKU_UNKNOWN");
	}

	@Test
	void adviceOfTheApplicationWins() {
		GrpcErrors errors = failure(() -> Shop.call(this.toInventory, Shop.FAIL, "advised"));
		assertThat(errors.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
		assertThat(errors.status().getDescription()).isEqualTo("advice");
	}

	@Test
	void statusThatAHandlerThrowsIsKept() {
		GrpcErrors errors = failure(() -> Shop.call(this.toInventory, Shop.FAIL, "status"));
		assertThat(errors.code()).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(errors.status().getDescription()).isEqualTo("twice");
	}

	@Test
	void exceptionThatNobodyMapsIsInternalAndKeepsItsSecret() {
		GrpcErrors errors = failure(() -> Shop.call(this.toInventory, Shop.FAIL, "unmapped"));
		assertThat(errors.code()).isEqualTo(Status.Code.INTERNAL);
		assertThat(errors.reason()).contains("INTERNAL");
		assertThat(errors.status().toString()).doesNotContain("secret");
	}

	@Test
	void callsBeyondTheLimitAreRefused() throws Exception {
		ServedShop shop = this.inventory.getBean(ServedShop.class);
		var first = ClientCalls.futureUnaryCall(this.toInventory.newCall(Shop.LIMITED, CallOptions.DEFAULT), "first");
		assertThat(shop.entered.await(10, TimeUnit.SECONDS)).isTrue();
		GrpcErrors errors = failure(() -> Shop.call(this.toInventory, Shop.LIMITED, "second"));
		shop.release.countDown();
		assertThat(errors.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(errors.reason()).contains("CONCURRENCY_LIMIT");
		assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("first");
	}

	@Test
	void healthIsLeftAlone() {
		assertThat(HealthGrpc.newBlockingStub(this.toInventory)
			.check(HealthCheckRequest.getDefaultInstance())
			.getStatusValue()).isPositive();
		assertThat(this.inventory.getBean(GrpcResilience.class).inspection().servedMethods()).anySatisfy((method) -> {
			assertThat(method.name()).isEqualTo("grpc.health.v1.Health/Check");
			assertThat(method.policy().exempt()).isTrue();
		});
	}

	@Test
	void statementEndsWithItsCall() {
		GrpcErrors errors = failure(() -> call(this.toInventory, Shop.WORK, "query", 20_000));
		assertThat(errors.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		JdbcTemplate jdbc = this.inventory.getBean(JdbcTemplate.class);
		await().untilAsserted(() -> assertThat(jdbc.queryForObject(
				"select count(*) from information_schema.sessions where executing_statement like '%system_range%'"
						+ " and session_id <> session_id()",
				Integer.class))
			.isZero());
	}

	@Test
	void taskThatItsCallWaitsForIsNobodysUnlessSaidSo() {
		assertThat(call(this.toInventory, Shop.WORK, "task", 20_000)).isEqualTo("none");
	}

	@Test
	void asyncMethodThatReturnsAFutureHasTheBudgetOfItsCall() {
		assertThat(Long.parseLong(call(this.toInventory, Shop.WORK, "async", 20_000))).isBetween(1L, 333L);
	}

	@Test
	void duplicateKeyOfJpaIsAlreadyExists() {
		assertThat(call(this.toInventory, Shop.WORK, "duplicate", 20_000)).isEqualTo("kept");
		GrpcErrors errors = failure(() -> call(this.toInventory, Shop.WORK, "duplicate", 20_000));
		assertThat(errors.code()).isEqualTo(Status.Code.ALREADY_EXISTS);
	}

	@Test
	void breakerOfTheApplicationOpens() {
		Channel channel = Stack.channel(this.gateway, "inventory");
		for (int call = 0; call < 2; call++) {
			assertThat(failure(() -> Shop.call(channel, Shop.BROKEN, "")).reason()).isEmpty();
		}
		assertThat(failure(() -> Shop.call(channel, Shop.BROKEN, "")).reason()).contains("CIRCUIT_OPEN");
	}

	@Test
	void buildersOfHttpClientsAreCustomized() {
		assertThat(this.gateway.getBeanDefinitionNames()).contains("grpcResilienceRestClientCustomizer",
				"grpcResilienceRestTemplateCustomizer", "grpcResilienceWebClientCustomizer");
	}

	@Test
	void requestOfARestClientEndsWithItsCall() {
		call(this.toGateway, Shop.WORK, "remaining", 20_000); // the first one takes its
																// time
		GrpcErrors errors = failure(() -> call(this.toGateway, Shop.WORK, "wait", 457));
		assertThat(errors.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		await().untilAsserted(
				() -> assertThat(JsonPath.<Integer>read(endpoint(), "$.cancellation.http_exchange.cancelled"))
					.isPositive());
	}

	@Test
	void edgeGivesTheRequestItsBudget() throws Exception {
		String[] left = get("/shelf/remaining", "2S").body().split(" ", 2);
		assertThat(Long.parseLong(left[0])).isBetween(1L, 2_000L);
		assertThat(Long.parseLong(left[1])).isBetween(1L, Long.parseLong(left[0]));
	}

	@Test
	void edgeAnswersFailuresWithAProblem() throws Exception {
		HttpResponse<String> response = get("/shelf/fail?kind=mapped", "20S");
		assertThat(response.statusCode()).isEqualTo(404);
		assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
		assertThat(response.body()).startsWith(
				"{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no such article\"");
	}

	@Test
	void edgeSaysWhoSpentTheBudget() throws Exception {
		HttpResponse<String> response = get("/shelf/slow", "20S");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(JsonPath.<String>read(response.body(), "$.reason")).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(JsonPath.<String>read(response.body(), "$.metadata.side")).isEqualTo("server");
	}

	@Test
	void endpointTellsPoliciesOriginsAndFindings() throws Exception {
		Shop.call(this.toGateway, Shop.REMAINING, "");
		String body = endpoint();
		assertThat(JsonPath.<Map<String, ?>>read(body, "$").keySet()).containsExactly("mode", "server", "client",
				"cancellation", "commits", "findings");
		assertThat(JsonPath.<List<String>>read(body,
				"$.server.methods[?(@.method=='test.v1.Shop/Remaining')].policy.deadline.default.value"))
			.containsExactly("5s");
		assertThat(JsonPath.<List<String>>read(body,
				"$.client.methods[?(@.method=='test.v1.Shop/Remaining' && @.client=='inventory')].type"))
			.containsExactly("unary");
		assertThat(JsonPath.<List<String>>read(body, "$.findings[*].id")).contains("UNMATCHED_CLIENT")
			.doesNotContain("NO_STACK");
	}

	private HttpResponse<String> get(String path, String budget) throws IOException, InterruptedException {
		HttpRequest request = HttpRequest
			.newBuilder(URI
				.create("http://localhost:" + this.gateway.getEnvironment().getProperty("local.server.port") + path))
			.header("grpc-timeout", budget)
			.build();
		return this.http.send(request, HttpResponse.BodyHandlers.ofString());
	}

	@Test
	void connectionsAreReplacedInTheirTime() {
		Set<SocketAddress> connections = new HashSet<>();
		await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20)).until(() -> {
			connections.add(Shop.localAddress(this.toInventory));
			return connections.size() == 2;
		});
	}

	@Test
	void connectionSettingsOfTheStackWinAndTheEndpointSaysSo() throws Exception {
		String body = endpoint();
		assertThat(JsonPath.<String>read(body, "$.server.connection.max-age.property")).isEqualTo(Stack.SERVER_MAX_AGE);
		assertThat(JsonPath.<String>read(body, "$.server.connection.max-age.value")).isEqualTo("7m");
		assertThat(JsonPath.<String>read(body, "$.client.connections.inventory.keepalive.time.property"))
			.isEqualTo(Stack.CLIENT_KEEPALIVE);
		assertThat(JsonPath.<String>read(body, "$.client.connections.inventory.keepalive.time.value")).isEqualTo("17m");
		assertThat(JsonPath.<String>read(body, "$.client.connections.inventory.keepalive.timeout.value"))
			.isEqualTo("9s");
		assertThat(JsonPath.<String>read(body, "$.client.connections.inventory.keepalive.without-calls.origin"))
			.isEqualTo("built-in");
	}

	private String endpoint() throws IOException, InterruptedException {
		HttpResponse<String> response = get("/actuator/grpcresilience", "20S");
		assertThat(response.statusCode()).isEqualTo(200);
		return response.body();
	}

	private List<String> timers(String name, String method) {
		return timers(this.inventory, name, method).stream().map((timer) -> timer.getId().toString()).toList();
	}

	/**
	 * net.devh registers its timers beforehand, so only those that counted tell.
	 */
	private static List<Timer> timers(ConfigurableApplicationContext application, String name, String method) {
		return application.getBean(MeterRegistry.class)
			.getMeters()
			.stream()
			.filter((meter) -> meter instanceof Timer timer && timer.count() > 0)
			.map(Timer.class::cast)
			.filter((timer) -> timer.getId().getName().equals(name) && timer.getId().toString().contains(method))
			.toList();
	}

	private static GrpcErrors failure(Runnable call) {
		return GrpcErrors.from(catchThrowable(call::run));
	}

	private static String call(ManagedChannel channel, MethodDescriptor<String, String> method, String request,
			long millis) {
		return ClientCalls.blockingUnaryCall(channel, method,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), request);
	}

	private static ManagedChannel channel(int port) {
		return Grpc.newChannelBuilderForAddress("localhost", port, InsecureChannelCredentials.create()).build();
	}

}
