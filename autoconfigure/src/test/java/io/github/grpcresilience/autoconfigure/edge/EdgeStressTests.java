package io.github.grpcresilience.autoconfigure.edge;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

import io.github.grpcresilience.GrpcResilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Requests with budgets of all sizes, whose clients leave at any moment.
 */
class EdgeStressTests {

	private static final int THREADS = 8;

	private static final int REQUESTS = 300;

	private static final List<String> KINDS = List.of("future", "blocking", "deferred", "callable");

	private static final List<String> REACTIVE_KINDS = List.of("mono", "elastic");

	@Test
	void nothingStaysOpenInMvc() throws Exception {
		stress(WebMvcEdgeTests.Application.class, "servlet", KINDS);
	}

	@Test
	void nothingStaysOpenInWebFlux() throws Exception {
		stress(WebFluxEdgeTests.Application.class, "reactive", REACTIVE_KINDS);
	}

	private static void stress(Class<?> application, String type, List<String> kinds) throws Exception {
		ExecutorService clients = Executors.newFixedThreadPool(THREADS);
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(application)
			.properties(EdgeBackend.connection())
			.run("--spring.main.web-application-type=" + type, "--server.port=0", "--server.http2.enabled=true",
					"--spring.jmx.enabled=false")) {
			int port = ((WebServerApplicationContext) context).getWebServer().getPort();
			ConcurrentHashMap<Integer, Integer> statuses = new ConcurrentHashMap<>();
			List<Future<?>> running = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				int seed = i;
				running.add(clients.submit(() -> call(port, kinds, new Random(seed), statuses)));
			}
			for (Future<?> client : running) {
				client.get(120, TimeUnit.SECONDS);
			}
			assertThat(statuses.keySet()).contains(200, 404, 504).doesNotContain(500);
			GrpcResilience resilience = context.getBean(GrpcResilience.class);
			EdgeBackend backend = context.getBean(EdgeBackend.class);
			await().atMost(Duration.ofSeconds(40)).untilAsserted(() -> {
				assertThat(resilience.work().requests().inFlight()).isZero();
				assertThat(backend.open).isEmpty();
				assertThat(resilience.inspection().pendingTimeouts()).isZero();
			});
		}
		finally {
			clients.shutdownNow();
		}
	}

	private static Void call(int port, List<String> kinds, Random random, ConcurrentHashMap<Integer, Integer> statuses)
			throws Exception {
		HttpClient client = HttpClient.newBuilder()
			.version(random.nextBoolean() ? Version.HTTP_2 : Version.HTTP_1_1)
			.build();
		for (int i = 0; i < REQUESTS; i++) {
			String kind = kinds.get(random.nextInt(kinds.size()));
			String what = switch (random.nextInt(4)) {
				case 0 -> "hold";
				case 1 -> "fail:NOT_FOUND";
				default -> "budget";
			};
			HttpRequest request = HttpRequest
				.newBuilder(URI.create("http://127.0.0.1:" + port + "/" + kind + "/" + what))
				.header("grpc-timeout", (1 + random.nextInt(what.equals("hold") ? 60 : 2_000)) + "m")
				.build();
			CompletableFuture<HttpResponse<String>> response = client.sendAsync(request, BodyHandlers.ofString());
			boolean leaves = random.nextInt(3) == 0;
			try {
				int status = (leaves ? response.get(random.nextInt(20_000), TimeUnit.MICROSECONDS)
						: response.get(20, TimeUnit.SECONDS))
					.statusCode();
				statuses.merge(status, 1, Integer::sum);
			}
			catch (TimeoutException ex) {
				assertThat(leaves).as("answered: %s", request).isTrue();
				response.cancel(true);
			}
			catch (ExecutionException ex) {
				assertThat(ex).hasCauseInstanceOf(IOException.class);
			}
		}
		return null;
	}

}
