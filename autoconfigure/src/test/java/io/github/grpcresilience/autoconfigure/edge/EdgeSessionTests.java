package io.github.grpcresilience.autoconfigure.edge;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

import io.grpc.Channel;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.MediaType;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Sessions in a database, which are written when the response is, in requests whose
 * budget is over by then.
 */
@DirtiesContext // net.devh registers the addresses of "self" for the whole JVM
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "spring.session.jdbc.initialize-schema=always", "spring.session.jdbc.cleanup-cron=-",
				"grpc.resilience.edge.commit-after-end=refuse" })
class EdgeSessionTests {

	private final HttpClient client = HttpClient.newBuilder().version(Version.HTTP_1_1).build();

	@LocalServerPort
	private int port;

	@DynamicPropertySource
	static void connect(DynamicPropertyRegistry properties) {
		EdgeBackend.connection().forEach((name, value) -> properties.add(name, () -> value));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/text", "/written", "/large", "/callable", "/future", "/streaming", "/redirect", "/error",
			"/nothing" })
	void sessionIsKeptThoughTheBudgetIsOver(String path) throws Exception {
		HttpResponse<String> response = get(path, null);
		assertThat(response.statusCode()).isEqualTo(path.equals("/redirect") ? 302 : path.equals("/error") ? 409 : 200);
		assertThat(attribute(response)).isEqualTo("kept");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/stub", "/stub-callable", "/stub-future" })
	void deadlineOfAStubIsAlwaysA504(String path) throws Exception {
		for (int i = 0; i < 3; i++) {
			HttpResponse<String> response = get(path, null);
			assertThat(response.statusCode()).isEqualTo(504);
			assertThat(response.body()).contains("\"code\":\"DEADLINE_EXCEEDED\"");
			assertThat(attribute(response)).isEqualTo("kept");
		}
	}

	@Test
	void statementsOfTheHandlerAreStillRefused() throws Exception {
		assertThat(get("/refused", null).body()).contains("the deadline has passed");
	}

	private String attribute(HttpResponse<?> response) throws Exception {
		String cookie = response.headers().firstValue("Set-Cookie").orElse("");
		return get("/attribute", cookie).body();
	}

	private HttpResponse<String> get(String path, String cookie) throws Exception {
		HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + this.port + path))
			.timeout(Duration.ofSeconds(30));
		if (cookie != null) {
			request.header("Cookie", cookie);
		}
		else {
			request.header("grpc-timeout", "313m");
		}
		return this.client.send(request.build(), BodyHandlers.ofString());
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import({ EdgeBackend.class, Controller.class })
	static class Application {

	}

	@RestController
	static class Controller {

		@GrpcClient("backend")
		private Channel channel;

		@Autowired
		private JdbcTemplate jdbc;

		@GetMapping("/attribute")
		String attribute(HttpSession session) {
			return String.valueOf(session.getAttribute("name"));
		}

		@GetMapping("/text")
		String text(HttpSession session) {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			return "text";
		}

		@GetMapping("/written")
		void written(HttpSession session, HttpServletResponse response) throws Exception {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			response.getWriter().write("written");
			response.getWriter().flush();
		}

		@GetMapping("/large")
		void large(HttpSession session, HttpServletResponse response) throws Exception {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			response.getOutputStream().write(new byte[100_000]);
		}

		@GetMapping("/nothing")
		void nothing(HttpSession session, HttpServletResponse response) {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			response.setStatus(200);
		}

		@GetMapping("/redirect")
		void redirect(HttpSession session, HttpServletResponse response) throws Exception {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			response.sendRedirect("/attribute");
		}

		@GetMapping("/error")
		void error(HttpSession session, HttpServletResponse response) throws Exception {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			response.sendError(409);
		}

		@GetMapping("/callable")
		Callable<String> callable(HttpSession session) {
			// Not in the callable: the request's thread saves the session meanwhile.
			session.setAttribute("name", "kept");
			return () -> {
				useUpBudgetAndGrace();
				return "text";
			};
		}

		@GetMapping("/future")
		CompletableFuture<String> future(HttpSession session) {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			return CompletableFuture.supplyAsync(() -> "text");
		}

		@GetMapping(path = "/streaming", produces = MediaType.TEXT_PLAIN_VALUE)
		StreamingResponseBody streaming(HttpSession session) {
			session.setAttribute("name", "kept");
			return (body) -> {
				useUpBudgetAndGrace();
				body.write("text".getBytes(StandardCharsets.UTF_8));
				body.flush();
			};
		}

		@GetMapping("/stub")
		String stub(HttpSession session) {
			session.setAttribute("name", "kept");
			return EdgeBackend.call(this.channel, "hold");
		}

		@GetMapping("/stub-callable")
		Callable<String> stubCallable(HttpSession session) {
			session.setAttribute("name", "kept");
			return () -> EdgeBackend.call(this.channel, "hold");
		}

		@GetMapping("/stub-future")
		CompletableFuture<String> stubFuture(HttpSession session) {
			session.setAttribute("name", "kept");
			useUpBudgetAndGrace();
			return CompletableFuture.failedFuture(catchThrowable(() -> EdgeBackend.call(this.channel, "hold")));
		}

		@GetMapping("/refused")
		String refused() {
			return useUpBudgetAndGrace();
		}

		/**
		 * Goes on until it is told for the second time that its time is up.
		 */
		private String useUpBudgetAndGrace() {
			await().pollInSameThread()
				.until(() -> Budget.remaining().filter((left) -> !left.isZero() && !left.isNegative()).isEmpty());
			String refusal = "";
			for (int refused = 0, i = 0; refused < 2 && i < 1_000; i++) {
				Throwable thrown = catchThrowable(() -> this.jdbc.queryForObject("SELECT 1", Integer.class));
				if (thrown != null) {
					refused++;
					refusal = String.valueOf(thrown);
				}
			}
			return refusal;
		}

	}

}
