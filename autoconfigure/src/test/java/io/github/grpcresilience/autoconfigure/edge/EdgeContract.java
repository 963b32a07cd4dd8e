package io.github.grpcresilience.autoconfigure.edge;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

import io.github.grpcresilience.GrpcResilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What holds of the edge in either web framework. The application has {@code /left} and
 * {@code /exempt/left}, which answer with what is left of the budget.
 */
abstract class EdgeContract {

	final HttpClient http1 = HttpClient.newBuilder().version(Version.HTTP_1_1).build();

	final HttpClient http2 = HttpClient.newBuilder().version(Version.HTTP_2).build();

	@LocalServerPort
	private int port;

	@Autowired
	EdgeBackend backend;

	@Autowired
	GrpcResilience resilience;

	@DynamicPropertySource
	static void connect(DynamicPropertyRegistry properties) {
		EdgeBackend.connection().forEach((name, value) -> properties.add(name, () -> value));
	}

	@AfterEach
	void nothingStaysOpen() {
		await().untilAsserted(() -> assertThat(this.resilience.work().requests().inFlight()).isZero());
	}

	@ParameterizedTest
	@CsvSource({ "grpc-timeout, 7S, 7000", "X-Envoy-Expected-Rq-Timeout-Ms, 6500, 6500", "grpc-timeout, 99H, 30000",
			"Other, 1, 5000" })
	void budgetIsReadCappedOrTheDefault(String name, String value, long millis) throws Exception {
		long left = Long.parseLong(get(this.http1, "/left", name, value).body());
		assertThat(left).isBetween(millis - 2_000, millis);
	}

	@Test
	void streamHasNoDefaultBudget() throws Exception {
		assertThat(get(this.http1, "/left", "Accept", "text/event-stream, */*").body()).contains("none");
		assertThat(get(this.http1, "/exempt/left").body()).isEqualTo("none");
	}

	final void assertProblem(String path, int status) throws Exception {
		HttpResponse<String> response = get(this.http1, path);
		assertThat(response.statusCode()).isEqualTo(status);
		assertThat(type(response)).isEqualTo("application/problem+json");
		assertThat(response.body()).contains("\"code\":\"" + path.substring(path.indexOf(':') + 1) + "\"",
				"\"instance\":\"" + path + "\"");
		if (status < 500) {
			assertThat(response.body()).contains("told to");
		}
		else {
			assertThat(response.body()).doesNotContain("told to");
		}
	}

	/**
	 * The client, with a connection over HTTP/2 that can be reset: the first request of a
	 * connection is upgraded, and cannot be.
	 */
	final HttpClient client(Version version) throws Exception {
		if (version == Version.HTTP_2) {
			assertThat(get(this.http2, "/left").version()).isEqualTo(Version.HTTP_2);
			return this.http2;
		}
		return this.http1;
	}

	final HttpResponse<String> get(HttpClient client, String path, String... headers) throws Exception {
		HttpRequest.Builder request = request(path);
		if (headers.length > 0) {
			request.headers(headers);
		}
		return client.send(request.build(), BodyHandlers.ofString());
	}

	final HttpRequest.Builder request(String path) {
		return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + this.port + path))
			.timeout(Duration.ofSeconds(30));
	}

	static String type(HttpResponse<?> response) {
		return response.headers().firstValue("Content-Type").orElse("");
	}

}
