package io.github.grpcresilience.autoconfigure.edge;

import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.web.embedded.netty.NettyReactiveWebServerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.cancel.reactor.ReactiveCalls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Spring WebFlux on Reactor Netty, over HTTP/1.1 and h2c, with a gRPC server behind.
 */
@DirtiesContext // net.devh registers the addresses of "self" for the whole JVM
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "spring.main.web-application-type=reactive", "spring.application.name=edge",
				"grpc.resilience.client.deadline.default=28s", "server.http2.enabled=true",
				"spring.webflux.problemdetails.enabled=true", "grpc.resilience.edge.default-budget=5s",
				"grpc.resilience.edge.max-budget=30s", "grpc.resilience.edge.exempt-paths=/exempt/**" })
class WebFluxEdgeTests extends EdgeContract {

	@Autowired
	private Controller controller;

	@ParameterizedTest
	@ValueSource(strings = { "/mono/budget", "/elastic/budget" })
	void stubsInheritTheBudget(String path) throws Exception {
		get(this.http1, path, "grpc-timeout", "30S");
		HttpResponse<String> response = get(this.http1, path, "grpc-timeout", "1900m");
		assertThat(response.statusCode()).isEqualTo(200);
		assertThat(Long.parseLong(response.body())).isBetween(1L, 1_900L - 95);
	}

	@Test
	void malformedBudgetIsABadRequest() throws Exception {
		int before = this.backend.arrived.get();
		HttpResponse<String> response = get(this.http1, "/mono/x", "grpc-timeout", "5x");
		assertThat(response.statusCode()).isEqualTo(400);
		assertThat(type(response)).isEqualTo("application/problem+json");
		assertThat(response.body()).contains("\"code\":\"INVALID_ARGUMENT\"", "1 to 8 digits",
				"\"instance\":\"/mono/x\"");
		assertThat(this.backend.arrived).hasValue(before);
	}

	@Test
	void nothingLeftIsAnsweredWithoutACall() throws Exception {
		int before = this.backend.arrived.get();
		HttpResponse<String> response = get(this.http1, "/mono/x", "grpc-timeout", "0m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(response.body()).contains("BUDGET_EXHAUSTED", "grpc-resilience");
		assertThat(this.backend.arrived).hasValue(before);
	}

	@ParameterizedTest
	@CsvSource({ "/mono/fail:NOT_FOUND, 404", "/elastic/fail:ALREADY_EXISTS, 409", "/mono/fail:DATA_LOSS, 500",
			"/stream/fail:NOT_FOUND, 404" })
	void failedCallIsAProblem(String path, int status) throws Exception {
		assertProblem(path, status);
	}

	@Test
	void slowCallIsADeadlineExceeded() throws Exception {
		get(this.http1, "/mono/budget", "grpc-timeout", "30S");
		HttpResponse<String> response = get(this.http1, "/mono/hold-slow", "grpc-timeout", "313m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(response.body()).contains("\"reason\":\"DEADLINE_EXCEEDED\"");
		this.backend.awaitHeld();
		this.backend.awaitCancelled("hold-slow");
	}

	@Test
	void chainThatMakesNoCallEndsWithTheBudget() throws Exception {
		HttpResponse<String> response = get(this.http1, "/never", "grpc-timeout", "211m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(response.body()).contains("\"code\":\"DEADLINE_EXCEEDED\"");
	}

	@Test
	void chainIsCancelledWithTheBudgetAndCleansUp() throws Exception {
		HttpResponse<String> response = get(this.http1, "/cleaning", "grpc-timeout", "173m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(this.controller.cleaned).succeedsWithin(Duration.ofSeconds(10));
		assertThat(this.controller.finished).isFalse();
	}

	@Test
	void springsOwnProblemsStay() throws Exception {
		HttpResponse<String> missing = get(this.http1, "/needs-parameter");
		assertThat(missing.statusCode()).isEqualTo(400);
		assertThat(type(missing)).isEqualTo("application/problem+json");
		assertThat(missing.body()).contains("Required query parameter 'number' is not present");
		HttpResponse<String> teapot = get(this.http1, "/teapot");
		assertThat(teapot.statusCode()).isEqualTo(418);
		assertThat(teapot.body()).contains("short and stout");
	}

	@Test
	void advicesOfTheApplicationWin() throws Exception {
		HttpResponse<String> response = get(this.http1, "/own/call");
		assertThat(response.statusCode()).isEqualTo(420);
		assertThat(response.body()).isEqualTo("calm down");
	}

	@Test
	void exemptPathIsLeftToSpring() throws Exception {
		HttpResponse<String> response = get(this.http1, "/exempt/fail:NOT_FOUND");
		assertThat(response.statusCode()).isEqualTo(500);
		assertThat(response.body()).contains("\"error\":\"Internal Server Error\"");
	}

	@ParameterizedTest
	@ValueSource(strings = { "HTTP_1_1", "HTTP_2" })
	void clientThatLeavesCancelsTheCall(Version version) throws Exception {
		HttpClient client = client(version);
		CompletableFuture<HttpResponse<String>> response = client
			.sendAsync(request("/mono/hold-" + version).header("grpc-timeout", "29S").build(), BodyHandlers.ofString());
		this.backend.awaitHeld();
		response.cancel(true);
		this.backend.awaitCancelled("hold-" + version);
	}

	@ParameterizedTest
	@ValueSource(strings = { "HTTP_1_1", "HTTP_2" })
	void clientThatLeavesEventsCancelsTheCall(Version version) throws Exception {
		String name = "events-" + version;
		HttpResponse<InputStream> response = client(version).send(
				request("/events/" + name).header("Accept", "text/event-stream").build(), BodyHandlers.ofInputStream());
		assertThat(response.statusCode()).isEqualTo(200);
		this.backend.awaitHeld();
		assertThat(new String(response.body().readNBytes(9), StandardCharsets.UTF_8)).isEqualTo("data:none");
		response.body().close();
		this.backend.awaitCancelled(name);
	}

	@Test
	void workGoesOnAfterTheAnswer() throws Exception {
		HttpResponse<String> response = get(this.http1, "/background", "grpc-timeout", "1700m");
		assertThat(response.statusCode()).isEqualTo(200);
		await().until(() -> this.resilience.work().requests().inFlight() == 0);
		this.controller.answered.countDown();
		assertThat(Long.parseLong(this.controller.result.get(20, TimeUnit.SECONDS))).isPositive();
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import({ EdgeBackend.class, Controller.class, OwnController.class, OwnAdvice.class })
	static class Application {

		/** Otherwise it would be Tomcat, which is on the class path too. */
		@Bean
		NettyReactiveWebServerFactory server() {
			return new NettyReactiveWebServerFactory();
		}

	}

	@RestController
	static class Controller {

		@GrpcClient("backend")
		private Channel channel;

		private final CountDownLatch answered = new CountDownLatch(1);

		private final CompletableFuture<String> result = new CompletableFuture<>();

		private final CompletableFuture<String> cleaned = new CompletableFuture<>();

		private final AtomicBoolean finished = new AtomicBoolean();

		@GetMapping("/mono/{what}")
		Mono<String> mono(@PathVariable String what) {
			return ReactiveCalls.unary(() -> EdgeBackend.callAsync(this.channel, what));
		}

		@GetMapping("/exempt/{what}")
		Mono<String> exempt(@PathVariable String what) {
			return what.equals("left") ? left() : mono(what);
		}

		@GetMapping("/elastic/{what}")
		Mono<String> elastic(@PathVariable String what) {
			return Mono.fromCallable(() -> EdgeBackend.call(this.channel, what))
				.subscribeOn(Schedulers.boundedElastic());
		}

		@GetMapping("/left")
		Mono<String> left() {
			return Mono
				.fromSupplier(() -> Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none"));
		}

		@GetMapping("/never")
		Mono<String> never() {
			return Mono.never();
		}

		@GetMapping("/cleaning")
		Mono<String> cleaning() {
			return Mono.usingWhen(Mono.just("resource"),
					(resource) -> Mono.delay(Duration.ofSeconds(20))
						.doOnSuccess((tick) -> this.finished.set(true))
						.thenReturn("late"),
					(resource) -> Mono.empty(), (resource, thrown) -> Mono.empty(),
					(resource) -> Mono.delay(Duration.ofMillis(20))
						.then(ReactiveCalls.unary(() -> EdgeBackend.callAsync(this.channel, "clean")))
						.doOnSuccess(this.cleaned::complete)
						.doOnError(this.cleaned::completeExceptionally));
		}

		@GetMapping("/stream/{what}")
		Flux<String> stream(@PathVariable String what) {
			return mono(what).flux();
		}

		@GetMapping(path = "/events/{name}", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
		Flux<String> events(@PathVariable String name) {
			return ReactiveCalls.serverStreaming(name, (request, observer) -> ClientCalls.asyncServerStreamingCall(
					this.channel.newCall(EdgeBackend.TICK, CallOptions.DEFAULT), request, observer));
		}

		@GetMapping("/background")
		Mono<String> background() {
			return Mono.fromSupplier(() -> {
				Mono.fromCallable(() -> {
					assertThat(this.answered.await(20, TimeUnit.SECONDS)).isTrue();
					return EdgeBackend.call(this.channel, "after the answer");
				})
					.subscribeOn(Schedulers.boundedElastic())
					.subscribe(this.result::complete, this.result::completeExceptionally);
				return "ok";
			});
		}

		@GetMapping("/needs-parameter")
		String needsParameter(@RequestParam int number) {
			return "got " + number;
		}

		@GetMapping("/teapot")
		Mono<String> teapot() {
			return mono("fail:NOT_FOUND").onErrorMap(StatusRuntimeException.class,
					(failure) -> new ResponseStatusException(HttpStatus.I_AM_A_TEAPOT, "short and stout", failure));
		}

	}

	@RestController
	static class OwnController {

		@GetMapping("/own/call")
		Mono<String> call() {
			return Mono.error(Status.RESOURCE_EXHAUSTED.asRuntimeException());
		}

	}

	@RestControllerAdvice(assignableTypes = OwnController.class)
	static class OwnAdvice {

		@ExceptionHandler
		ResponseEntity<String> handle(StatusRuntimeException failure) {
			return ResponseEntity.status(420).body("calm down");
		}

	}

}
