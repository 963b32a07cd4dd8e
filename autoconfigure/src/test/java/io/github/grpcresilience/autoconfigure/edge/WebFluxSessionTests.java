package io.github.grpcresilience.autoconfigure.edge;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.data.jpa.JpaRepositoriesAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.session.MapSession;
import org.springframework.session.ReactiveMapSessionRepository;
import org.springframework.session.config.annotation.web.server.EnableSpringWebSession;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebSession;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.ContextView;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.context.CallScopeAccessor;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Sessions of WebFlux, which are saved when the response is committed, in a store that
 * takes longer than the budget of the request.
 */
@DirtiesContext // net.devh registers the addresses of "self" for the whole JVM
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "spring.main.web-application-type=reactive", "grpc.resilience.edge.commit-after-end=refuse" })
class WebFluxSessionTests {

	private final HttpClient client = HttpClient.newBuilder().version(Version.HTTP_1_1).build();

	@LocalServerPort
	private int port;

	@DynamicPropertySource
	static void connect(DynamicPropertyRegistry properties) {
		EdgeBackend.connection().forEach((name, value) -> properties.add(name, () -> value));
	}

	@ParameterizedTest
	@CsvSource({ "/text, 200, text", "/stream, 200, textmore", "/entity, 201, text", "/nothing, 200,",
			"/redirect, 302,", "/written, 200, written" })
	void whoAnswersInTimeIsHeardAndTheSessionIsKept(String path, int status, String body) throws Exception {
		get("/attribute", null);
		HttpResponse<String> response = get(path, "1313m");
		assertThat(response.statusCode()).isEqualTo(status);
		assertThat(response.body()).isEqualTo((body != null) ? body : "");
		assertThat(attribute(response)).isEqualTo("kept");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/slow", "/blocking" })
	void whoTakesLongerIsA504AndTheSessionIsKept(String path) throws Exception {
		HttpResponse<String> response = get(path, "1313m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(attribute(response)).isEqualTo("kept");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/stub", "/stub-elsewhere" })
	void deadlineOfAStubIsAlwaysA504(String path) throws Exception {
		for (int i = 0; i < 3; i++) {
			HttpResponse<String> response = get(path, "313m");
			assertThat(response.statusCode()).isEqualTo(504);
			assertThat(response.body()).contains("\"code\":\"DEADLINE_EXCEEDED\"");
			assertThat(attribute(response)).isEqualTo("kept");
		}
	}

	/**
	 * It runs on a thread of the store.
	 */
	@Test
	void handlerThatAsksForTheSessionHasItsBudget() throws Exception {
		assertThat(Long.parseLong(get("/budget", "1313m").body())).isBetween(1L, 1_313L);
	}

	private String attribute(HttpResponse<?> response) throws Exception {
		String cookie = response.headers().firstValue("Set-Cookie").orElse("none");
		HttpRequest request = request("/attribute").header("Cookie", cookie).build();
		return this.client.send(request, BodyHandlers.ofString()).body();
	}

	private HttpResponse<String> get(String path, String budget) throws Exception {
		HttpRequest.Builder request = request(path);
		if (budget != null) {
			request.header("grpc-timeout", budget);
		}
		return this.client.send(request.build(), BodyHandlers.ofString());
	}

	private HttpRequest.Builder request(String path) {
		return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + this.port + path))
			.timeout(Duration.ofSeconds(30));
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(exclude = { HibernateJpaAutoConfiguration.class, JpaRepositoriesAutoConfiguration.class })
	@EnableSpringWebSession
	@Import({ EdgeBackend.class, Controller.class })
	static class Application {

		@Bean
		SlowRepository sessions() {
			return new SlowRepository();
		}

	}

	/** Takes longer for a request than it has time. */
	static class SlowRepository extends ReactiveMapSessionRepository {

		SlowRepository() {
			super(new ConcurrentHashMap<>());
		}

		@Override
		public Mono<Void> save(MapSession session) {
			return Mono.deferContextual(SlowRepository::endOfBudget)
				.publishOn(Schedulers.boundedElastic())
				.then(Mono.delay(Duration.ofMillis(211)))
				.then(super.save(session));
		}

		private static Mono<Void> endOfBudget(ContextView context) {
			CallScope scope = context.getOrDefault(CallScopeAccessor.KEY, null);
			return (scope != null && scope.call().remainingNanos() != CallRecord.UNLIMITED)
					? Mono.create((sink) -> scope.call().listen((ended) -> sink.success())) : Mono.empty();
		}

	}

	@RestController
	static class Controller {

		@GrpcClient("backend")
		private Channel channel;

		private static <T> T keep(WebSession session, T answer) {
			session.getAttributes().put("name", "kept");
			return answer;
		}

		@GetMapping("/attribute")
		String attribute(WebSession session) {
			return String.valueOf(session.<Object>getAttribute("name"));
		}

		@GetMapping("/text")
		Mono<String> text(WebSession session) {
			return Mono.just(keep(session, "text"));
		}

		@GetMapping("/stream")
		Flux<String> stream(WebSession session) {
			return Flux.just(keep(session, "text"), "more");
		}

		@GetMapping("/entity")
		Mono<ResponseEntity<String>> entity(WebSession session) {
			return Mono.just(keep(session, ResponseEntity.status(HttpStatus.CREATED).body("text")));
		}

		@GetMapping("/nothing")
		Mono<Void> nothing(WebSession session) {
			return keep(session, Mono.empty());
		}

		@GetMapping("/redirect")
		Mono<ResponseEntity<Void>> redirect(WebSession session) {
			return Mono.just(
					keep(session, ResponseEntity.status(HttpStatus.FOUND).location(URI.create("/attribute")).build()));
		}

		@GetMapping("/written")
		Mono<Void> written(WebSession session, ServerWebExchange exchange) {
			keep(session, "");
			return exchange.getResponse()
				.writeAndFlushWith(Mono.just(Mono
					.just(exchange.getResponse().bufferFactory().wrap("written".getBytes(StandardCharsets.UTF_8)))));
		}

		@GetMapping("/slow")
		Mono<String> slow(WebSession session) {
			return Mono.delay(Duration.ofSeconds(20)).thenReturn(keep(session, "late"));
		}

		@GetMapping("/blocking")
		String blocking(WebSession session) {
			keep(session, "");
			return CompletableFuture.supplyAsync(() -> "late", CompletableFuture.delayedExecutor(2, TimeUnit.SECONDS))
				.join();
		}

		@GetMapping("/budget")
		Mono<String> budget(WebSession session) {
			keep(session, "");
			return Mono.fromCallable(() -> EdgeBackend.call(this.channel, "budget"));
		}

		@GetMapping("/stub")
		Mono<String> stub(WebSession session) {
			keep(session, "");
			return Mono.fromCallable(() -> EdgeBackend.call(this.channel, "hold"));
		}

		@GetMapping("/stub-elsewhere")
		Mono<String> stubElsewhere(WebSession session) {
			return stub(session).subscribeOn(Schedulers.boundedElastic());
		}

	}

}
