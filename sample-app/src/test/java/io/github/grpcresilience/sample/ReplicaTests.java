package io.github.grpcresilience.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.sample.RunningShop.Answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * Three replicas of inventory, two of them processes of their own, and what a reader can
 * do to them.
 */
class ReplicaTests {

	private static final Duration PATIENCE = Duration.ofMinutes(1);

	private static RunningShop shop;

	@BeforeAll
	static void start() {
		shop = RunningShop.withReplicas(3);
	}

	@AfterAll
	static void end() {
		shop.close();
	}

	@Test
	void eachHopNamesItsInstance() throws Exception {
		Answer answer = shop.checkout("SKU-1");
		assertThat(answer.hop(0).path("instance").asText()).isEqualTo("gateway-1");
		assertThat(answer.hop(1).path("instance").asText()).isEqualTo("orders-1");
		assertThat(answer.hop(2).path("instance").asText()).startsWith("inventory-");
	}

	@Test
	void allReplicasAnswer() {
		awaitAnswersOf("inventory-1", "inventory-2", "inventory-3");
	}

	@Test
	void listsReplicas() throws Exception {
		Answer answer = shop.get("inventory.http", "/replicas");
		assertThat(answer.body().findValuesAsText("instance")).containsExactly("inventory-1", "inventory-2",
				"inventory-3");
		assertThat(new HashSet<>(answer.body().findValuesAsText("pid"))).hasSize(3);
		assertThat(new HashSet<>(answer.body().findValuesAsText("port"))).hasSize(3);
		assertThat(answer.body().path(0).path("pid").asLong()).isEqualTo(ProcessHandle.current().pid());
	}

	@Test
	void stoppedReplicaFailsNoCheckoutAndComesBack() throws Exception {
		awaitAnswersOf("inventory-2");
		long pid = replica(2).pid();
		assertThat(ask(2, "stop").status()).isEqualTo(200);
		do {
			assertThat(shop.checkout("SKU-1").status()).isEqualTo(200);
		}
		while (!replica(2).state().equals("stopped"));
		assertThat(ProcessHandle.of(pid)).isEmpty();
		assertThat(ask(2, "stop").text("state")).isEqualTo("stopped");
		assertProblem(ask(2, "pause"), 409, "Replica 2 is stopped: only a running one can be paused");
		assertThat(ask(2, "start").text("state")).isEqualTo("starting");
		awaitAnswersOf("inventory-2");
		assertThat(replica(2).state()).isEqualTo("running");
	}

	@Test
	void pausedReplicaAnswersOnceItGoesOn() throws Exception {
		awaitAnswersOf("inventory-3");
		long pid = replica(3).pid();
		assertThat(ask(3, "pause").text("state")).isEqualTo("paused");
		assertThat(ask(3, "pause").text("state")).isEqualTo("paused");
		for (int i = 0; i < 7; i++) {
			assertThat(shop.checkout("SKU-1?budget=170ms").hop(2).path("instance").asText())
				.isNotEqualTo("inventory-3");
		}
		assertThat(ask(3, "start").text("state")).isEqualTo("running");
		awaitAnswersOf("inventory-3");
		assertThat(replica(3).pid()).isEqualTo(pid);
	}

	@Test
	void pausedReplicaCanBeStopped() throws Exception {
		awaitAnswersOf("inventory-3");
		ask(3, "pause");
		assertThat(ask(3, "stop").text("state")).isEqualTo("stopping");
		await().atMost(PATIENCE).until(() -> replica(3).state().equals("stopped"));
		ask(3, "start");
		awaitAnswersOf("inventory-3");
	}

	@ParameterizedTest
	@ValueSource(strings = { "stop", "pause", "start" })
	void firstReplicaServesTheRequest(String action) throws Exception {
		assertProblem(ask(1, action), 409, "Replica 1 is the process that answers this request: take another one");
	}

	@ParameterizedTest
	@ValueSource(ints = { -1, 0, 4 })
	void saysWhichReplicasThereAre(int number) throws Exception {
		assertProblem(ask(number, "stop"), 404, "There are replicas 1 to 3, as --inventory.replicas says");
	}

	@ParameterizedTest
	@CsvSource({ "--inventory.replicas=0, inventory.replicas must be 1 to 9",
			"--inventory.replicas=10, inventory.replicas must be 1 to 9",
			"--inventory.replicas=3 --shop.inventory.replica-ports=9093, shop.inventory.replica-ports must be 2 ports" })
	void saysWhatNumbersAreExpected(String args, String expected) {
		assertThatIllegalArgumentException().isThrownBy(() -> Role.INVENTORY.start(args.split(" ")))
			.withMessageContaining(expected);
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void replicasEndWithTheirParentHoweverThatEnds(boolean running) throws Exception {
		List<Integer> ports = RunningShop.freePorts(3);
		Process parent = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
				System.getProperty("java.class.path"), ShopApplication.class.getName(), "--role=inventory",
				"--inventory.replicas=2", "--shop.inventory.http-port=" + ports.get(0),
				"--shop.inventory.grpc-port=" + ports.get(1), "--shop.inventory.replica-ports=" + ports.get(2))
			.redirectErrorStream(true)
			.redirectOutput(ProcessBuilder.Redirect.DISCARD)
			.start();
		try {
			await().atMost(PATIENCE).until(() -> parent.children().findAny().isPresent());
			List<ProcessHandle> children = parent.children().toList();
			if (running) {
				String replicas = "http://localhost:" + ports.get(0) + "/replicas";
				await().atMost(PATIENCE)
					.ignoreExceptionsInstanceOf(IOException.class)
					.until(() -> send(HttpRequest.newBuilder(URI.create(replicas))).split("running", -1).length == 3);
				assertThat(
						send(HttpRequest.newBuilder(URI.create(replicas + "/2/pause")).POST(BodyPublishers.noBody())))
					.contains("paused");
			}
			parent.destroyForcibly();
			await().atMost(PATIENCE).until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
		}
		finally {
			parent.destroyForcibly().waitFor();
		}
	}

	private static String send(HttpRequest.Builder request) throws IOException, InterruptedException {
		return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString()).body();
	}

	private static void awaitAnswersOf(String... instances) {
		Set<String> seen = new HashSet<>();
		await().atMost(PATIENCE).until(() -> {
			seen.add(shop.checkout("SKU-1").hop(2).path("instance").asText());
			return seen.containsAll(List.of(instances));
		});
	}

	private static Answer ask(int number, String action) throws IOException, InterruptedException {
		return shop.post("inventory.http", "/replicas/" + number + "/" + action);
	}

	private static Seen replica(int number) throws IOException, InterruptedException {
		JsonNode described = shop.get("inventory.http", "/replicas").body().path(number - 1);
		return new Seen(described.path("pid").asLong(), described.path("state").asText());
	}

	private static void assertProblem(Answer answer, int status, String detail) {
		assertThat(answer.status()).isEqualTo(status);
		assertThat(answer.contentType()).isEqualTo("application/problem+json");
		assertThat(answer.text("detail")).isEqualTo(detail);
	}

	private record Seen(long pid, String state) {
	}

}
