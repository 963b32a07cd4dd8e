package io.github.grpcresilience.autoconfigure.edge;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import com.google.common.util.concurrent.FutureCallback;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Spring MVC on Tomcat, over HTTP/1.1 and h2c, with a gRPC server behind.
 */
@DirtiesContext // net.devh registers the addresses of "self" for the whole JVM
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "spring.application.name=edge", "grpc.resilience.client.deadline.default=28s",
				"server.http2.enabled=true", "spring.mvc.problemdetails.enabled=true",
				"grpc.resilience.edge.default-budget=5s", "grpc.resilience.edge.max-budget=30s",
				"grpc.resilience.edge.exempt-paths=/exempt/**", "grpc.resilience.edge.status-codes.DATA_LOSS=507" })
class WebMvcEdgeTests extends EdgeContract {

	@Autowired
	private Controller controller;

	@Autowired
	private ThreadPoolTaskExecutor executor;

	@ParameterizedTest
	@ValueSource(strings = { "/blocking/budget", "/future/budget", "/callable/budget" })
	void stubsInheritTheBudget(String path) throws Exception {
		warmUp();
		HttpResponse<String> response = get(this.http1, path, "grpc-timeout", "1900m");
		assertThat(response.statusCode()).isEqualTo(200);
		assertThat(Long.parseLong(response.body())).isBetween(1L, 1_900L - 95);
	}

	@ParameterizedTest
	@EnumSource(Version.class)
	void malformedBudgetIsABadRequest(Version version) throws Exception {
		int before = this.backend.arrived.get();
		HttpResponse<String> response = get((version == Version.HTTP_2) ? this.http2 : this.http1, "/blocking/x",
				"grpc-timeout", "5x");
		assertThat(response.statusCode()).isEqualTo(400);
		assertThat(type(response)).isEqualTo("application/problem+json");
		assertThat(response.body()).contains("\"code\":\"INVALID_ARGUMENT\"", "1 to 8 digits",
				"\"instance\":\"/blocking/x\"");
		assertThat(this.backend.arrived).hasValue(before);
	}

	@Test
	void nothingLeftIsAnsweredWithoutACall() throws Exception {
		int before = this.backend.arrived.get();
		HttpResponse<String> response = get(this.http1, "/blocking/x", "grpc-timeout", "0m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(type(response)).isEqualTo("application/problem+json");
		assertThat(response.body()).contains("BUDGET_EXHAUSTED", "grpc-resilience");
		assertThat(this.backend.arrived).hasValue(before);
	}

	@ParameterizedTest
	@CsvSource({ "/blocking/fail:NOT_FOUND, 404", "/future/fail:NOT_FOUND, 404", "/callable/fail:ALREADY_EXISTS, 409",
			"/deferred/fail:UNAUTHENTICATED, 401", "/blocking/fail:DATA_LOSS, 507" })
	void failedCallIsAProblem(String path, int status) throws Exception {
		assertProblem(path, status);
	}

	@Test
	void slowCallIsADeadlineExceeded() throws Exception {
		warmUp();
		HttpResponse<String> response = get(this.http1, "/blocking/hold-slow", "grpc-timeout", "313m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(response.body()).contains("\"reason\":\"DEADLINE_EXCEEDED\"", "budget_ms").doesNotContain("told");
		this.backend.awaitHeld();
		this.backend.awaitCancelled("hold-slow");
	}

	@Test
	void callableThatWaitsBeyondTheBudgetIsAnswered() throws Exception {
		ThreadPoolExecutor pool = this.executor.getThreadPoolExecutor();
		CountDownLatch free = new CountDownLatch(1);
		for (int i = 0; i < pool.getCorePoolSize(); i++) {
			pool.execute(() -> awaitUninterruptibly(free));
		}
		CompletableFuture<HttpResponse<String>> response = this.http1
			.sendAsync(request("/callable/budget").header("grpc-timeout", "97m").build(), BodyHandlers.ofString());
		await().until(() -> !pool.getQueue().isEmpty());
		await().until(() -> this.resilience.inspection().pendingTimeouts() == 0);
		free.countDown();
		assertThat(response.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(504);
	}

	private static void awaitUninterruptibly(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Test
	void failureOfAStreamThatHasNotBegunIsAProblem() throws Exception {
		HttpResponse<String> response = get(this.http1, "/blocking/fail:NOT_FOUND", "Accept", "text/event-stream");
		assertThat(response.statusCode()).isEqualTo(404);
		assertThat(type(response)).isEqualTo("application/problem+json");
	}

	@Test
	void springsOwnProblemsStay() throws Exception {
		HttpResponse<String> missing = get(this.http1, "/needs-parameter");
		assertThat(missing.statusCode()).isEqualTo(400);
		assertThat(type(missing)).isEqualTo("application/problem+json");
		assertThat(missing.body()).contains("Required parameter 'number' is not present");
		HttpResponse<String> unknown = get(this.http1, "/nowhere");
		assertThat(unknown.statusCode()).isEqualTo(404);
		assertThat(unknown.body()).contains("No static resource");
		HttpResponse<String> teapot = get(this.http1, "/teapot");
		assertThat(teapot.statusCode()).isEqualTo(418);
		assertThat(teapot.body()).contains("short and stout");
	}

	@Test
	void advicesOfTheApplicationWin() throws Exception {
		HttpResponse<String> response = get(this.http1, "/own/call");
		assertThat(response.statusCode()).isEqualTo(420);
		assertThat(response.body()).isEqualTo("calm down");
		assertThat(get(this.http1, "/own/broken").body()).isEqualTo("own handler");
	}

	@Test
	void exemptPathIsLeftToSpring() throws Exception {
		assertThat(get(this.http1, "/exempt/fail:NOT_FOUND").statusCode()).isEqualTo(500);
	}

	@ParameterizedTest
	@ValueSource(strings = { "future", "deferred" })
	void clientThatLeavesOverHttp2CancelsTheCall(String kind) throws Exception {
		CompletableFuture<HttpResponse<String>> response = client(Version.HTTP_2).sendAsync(
				request("/" + kind + "/hold-h2-" + kind).header("grpc-timeout", "29S").build(),
				BodyHandlers.ofString());
		this.backend.awaitHeld();
		response.cancel(true);
		this.backend.awaitCancelled("hold-h2-" + kind);
	}

	@ParameterizedTest
	@EnumSource(Version.class)
	void clientThatLeavesEventsCancelsTheCall(Version version) throws Exception {
		HttpClient client = client(version);
		String name = "events-" + version;
		HttpResponse<InputStream> response = client.send(
				request("/events/" + name).header("Accept", "text/event-stream").build(), BodyHandlers.ofInputStream());
		assertThat(response.statusCode()).isEqualTo(200);
		StreamObserver<String> events = this.backend.awaitHeld();
		assertThat(new String(response.body().readNBytes(9), StandardCharsets.UTF_8)).isEqualTo("data:none");
		response.body().close();
		await().atMost(Duration.ofSeconds(10)).until(() -> {
			// Over HTTP/1.1 only a write tells.
			if (version == Version.HTTP_1_1 && this.backend.open.contains(events)) {
				events.onNext("tick");
			}
			return this.backend.cancelled.remove(name);
		});
	}

	@Test
	void workGoesOnAfterTheAnswer() throws Exception {
		HttpResponse<String> response = get(this.http1, "/background", "grpc-timeout", "1700m");
		assertThat(response.statusCode()).isEqualTo(200);
		await().until(() -> this.resilience.work().requests().inFlight() == 0);
		this.controller.answered.countDown();
		assertThat(Long.parseLong(this.controller.result.get(20, TimeUnit.SECONDS))).isPositive();
		this.backend.answer(this.backend.awaitHeld(), "audited");
		assertThat(this.controller.audit.get(20, TimeUnit.SECONDS)).isEqualTo("audited");
	}

	private void warmUp() throws Exception {
		get(this.http1, "/blocking/budget", "grpc-timeout", "30S");
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@EnableAsync
	@Import({ EdgeBackend.class, Controller.class, Background.class, OwnController.class, OwnAdvice.class })
	static class Application {

	}

	@RestController
	static class Controller {

		@GrpcClient("backend")
		private Channel channel;

		private final Background background;

		private final CountDownLatch answered = new CountDownLatch(1);

		private final CompletableFuture<String> result = new CompletableFuture<>();

		private volatile CompletableFuture<String> audit = new CompletableFuture<>();

		Controller(Background background) {
			this.background = background;
		}

		@GetMapping({ "/blocking/{what}", "/exempt/{what}" })
		String blocking(@PathVariable String what) {
			return what.equals("left") ? left() : EdgeBackend.call(this.channel, what);
		}

		@GetMapping("/left")
		String left() {
			return Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none");
		}

		@GetMapping("/future/{what}")
		CompletableFuture<String> future(@PathVariable String what) {
			CompletableFuture<String> future = new CompletableFuture<>();
			EdgeBackend.then(EdgeBackend.callAsync(this.channel, what), completing(future));
			return future.thenApply((text) -> text);
		}

		@GetMapping("/callable/{what}")
		Callable<String> callable(@PathVariable String what) {
			return () -> EdgeBackend.call(this.channel, what);
		}

		@GetMapping("/deferred/{what}")
		DeferredResult<String> deferred(@PathVariable String what) {
			DeferredResult<String> result = new DeferredResult<>();
			EdgeBackend.then(EdgeBackend.callAsync(this.channel, what), new FutureCallback<>() {

				@Override
				public void onSuccess(String text) {
					result.setResult(text);
				}

				@Override
				public void onFailure(Throwable thrown) {
					result.setErrorResult(thrown);
				}

			});
			return result;
		}

		@GetMapping(path = "/events/{name}", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
		SseEmitter events(@PathVariable String name) {
			SseEmitter emitter = new SseEmitter();
			EdgeBackend.watch(this.channel, name, new StreamObserver<>() {

				@Override
				public void onNext(String text) {
					try {
						emitter.send(text);
					}
					catch (IOException ex) {
						emitter.completeWithError(ex);
					}
				}

				@Override
				public void onError(Throwable thrown) {
					emitter.completeWithError(thrown);
				}

				@Override
				public void onCompleted() {
					emitter.complete();
				}

			});
			return emitter;
		}

		@GetMapping("/background")
		String background() {
			this.background.work(this.channel, this.answered, this.result);
			CompletableFuture<String> future = new CompletableFuture<>();
			EdgeBackend.then(EdgeBackend.callAsync(this.channel, "hold-audit"), completing(future));
			this.audit = future;
			return "ok";
		}

		private static FutureCallback<String> completing(CompletableFuture<String> future) {
			return new FutureCallback<>() {

				@Override
				public void onSuccess(String text) {
					future.complete(text);
				}

				@Override
				public void onFailure(Throwable thrown) {
					future.completeExceptionally(thrown);
				}

			};
		}

		@GetMapping("/needs-parameter")
		String needsParameter(@RequestParam int number) {
			return "got " + number;
		}

		@GetMapping("/teapot")
		String teapot() {
			try {
				return EdgeBackend.call(this.channel, "fail:NOT_FOUND");
			}
			catch (StatusRuntimeException ex) {
				throw new ResponseStatusException(HttpStatus.I_AM_A_TEAPOT, "short and stout", ex);
			}
		}

	}

	static class Background {

		@Async
		void work(Channel channel, CountDownLatch answered, CompletableFuture<String> result) {
			try {
				assertThat(answered.await(20, TimeUnit.SECONDS)).isTrue();
				result.complete(EdgeBackend.call(channel, "after the answer"));
			}
			catch (InterruptedException | RuntimeException ex) {
				result.completeExceptionally(ex);
			}
		}

	}

	@RestController
	static class OwnController {

		@GetMapping("/own/call")
		String call() {
			throw Status.RESOURCE_EXHAUSTED.asRuntimeException();
		}

		@GetMapping("/own/broken")
		String broken() {
			throw new IllegalStateException("broken");
		}

	}

	/** Without an order of its own, like most. */
	@RestControllerAdvice(assignableTypes = OwnController.class)
	static class OwnAdvice {

		@ExceptionHandler
		ResponseEntity<String> handle(StatusRuntimeException failure) {
			return ResponseEntity.status(420).body("calm down");
		}

		@ExceptionHandler
		ResponseEntity<String> handle(IllegalStateException failure) {
			return ResponseEntity.internalServerError().body("own handler");
		}

	}

}
