package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.http.client.reactive.ClientHttpConnectorAutoConfiguration;
import org.springframework.boot.autoconfigure.reactor.ReactorAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.function.client.WebClientAutoConfiguration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.cancel.reactor.ReactiveCalls;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Requests of WebFlux whose budget is over: their own chain is cancelled, what it cleans
 * up gets through, and what it shares with others is theirs.
 */
class WebFluxTests {

	private static HttpPeer peer;

	private static App app;

	@BeforeAll
	static void start() {
		peer = HttpPeer.start();
		app = App.of(Web.class)
			.webFlux()
			.auto(ReactorAutoConfiguration.class, ClientHttpConnectorAutoConfiguration.class,
					WebClientAutoConfiguration.class)
			.start();
		app.on("slow", () -> {
			TimeUnit.MILLISECONDS.sleep(600);
			return "answer";
		});
		app.on("budget", () -> Budget.remaining().orElseThrow().toString());
		assertThat(app.get("/warm", App.LONG_MILLIS).statusCode()).isEqualTo(200);
	}

	@AfterAll
	static void stop() {
		app.close();
		peer.close();
	}

	@Test
	void chainIsCancelledWithItsRequest() throws Exception {
		assertThat(app.get("/slow", App.SHORT_MILLIS).statusCode()).isEqualTo(504);
		assertThat(app.bean(Web.class).slow.get(20, TimeUnit.SECONDS)).isEqualTo("cancelled");
	}

	/**
	 * Its handler runs on the thread that brings the body.
	 */
	@Test
	void handlerOfARequestWithABodyHasItsBudget() {
		Duration left = Duration.parse(app.post("/budget", "body", 1_234).body());
		assertThat(left).isPositive().isLessThan(Duration.ofMillis(1_234));
	}

	@Test
	void resourceOfACancelledChainIsReleased() throws Exception {
		assertThat(app.get("/resource", App.SHORT_MILLIS).statusCode()).isEqualTo(504);
		assertThat(app.bean(Web.class).released.get(20, TimeUnit.SECONDS)).startsWith("answer");
	}

	@Test
	void whatIsSubscribedToForCleaningUpGetsThrough() throws Exception {
		assertThat(app.get("/cleaning", App.SHORT_MILLIS).statusCode()).isEqualTo(504);
		assertThat(app.bean(Web.class).cleaned.get(20, TimeUnit.SECONDS)).startsWith("answer");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/cached", "/cached-stub", "/cached-future-stub" })
	void cachedPublisherIsGotByTheNextRequest(String path) {
		assertThat(app.get(path, App.SHORT_MILLIS).statusCode()).isEqualTo(504);
		assertThat(app.get(path, App.LONG_MILLIS).body()).startsWith("answer");
	}

	/**
	 * Only what others wait for is without it.
	 */
	@ParameterizedTest
	@ValueSource(strings = { "/budget", "/budget-elsewhere" })
	void chainOfTheRequestHasItsBudget(String path) {
		Duration left = Duration.parse(app.get(path, 1_234).body());
		assertThat(left).isPositive().isLessThan(Duration.ofMillis(1_234));
	}

	/** Takes its time. */
	@RestController
	static class Web {

		private final CompletableFuture<String> slow = new CompletableFuture<>();

		private final CompletableFuture<String> released = new CompletableFuture<>();

		private final CompletableFuture<String> cleaned = new CompletableFuture<>();

		private final WebClient http;

		private final Mono<String> cached;

		private final Mono<String> cachedStub;

		private final Mono<String> cachedFutureStub;

		@GrpcClient("self")
		private Channel self;

		Web(WebClient.Builder http) {
			this.http = http.baseUrl(peer.url()).build();
			this.cached = answer(600).cache();
			this.cachedStub = Mono
				.fromCallable(() -> ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, "slow"))
				.subscribeOn(Schedulers.boundedElastic())
				.cache();
			this.cachedFutureStub = ReactiveCalls
				.unary(() -> ClientCalls.futureUnaryCall(this.self.newCall(Calls.DO, CallOptions.DEFAULT), "slow"))
				.cache();
		}

		private Mono<String> answer(long millis) {
			return this.http.get().uri("/" + millis).retrieve().bodyToMono(String.class);
		}

		@GetMapping("/warm")
		Mono<String> warm() {
			return answer(1);
		}

		@GetMapping("/slow")
		Mono<String> slow() {
			return Mono.delay(Duration.ofMillis(App.SHORT_MILLIS + 500))
				.map(String::valueOf)
				.doOnCancel(() -> this.slow.complete("cancelled"))
				.doOnSuccess((value) -> this.slow.complete("done"));
		}

		@GetMapping("/resource")
		Mono<String> resource() {
			return Mono.usingWhen(Mono.just("resource"), (resource) -> answer(20_000),
					(resource) -> answer(30).doOnNext(this.released::complete));
		}

		@GetMapping("/cleaning")
		Mono<String> cleaning() {
			return answer(20_000).doOnCancel(() -> answer(30).subscribe(this.cleaned::complete));
		}

		@GetMapping("/cached")
		Mono<String> cached() {
			return this.cached;
		}

		@GetMapping("/cached-stub")
		Mono<String> cachedStub() {
			return warm().flatMap((warm) -> this.cachedStub);
		}

		@GetMapping("/cached-future-stub")
		Mono<String> cachedFutureStub() {
			return warm().flatMap((warm) -> this.cachedFutureStub);
		}

		/**
		 * What is left of the request, as another service sees it.
		 */
		@GetMapping("/budget")
		Mono<String> budget() {
			return Mono
				.fromCallable(() -> ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, "budget"))
				.subscribeOn(Schedulers.boundedElastic());
		}

		@PostMapping("/budget")
		Mono<String> budget(@RequestBody String body) {
			return budget();
		}

		/**
		 * The same on a thread that knows nothing of it, in a stub that asks Reactor's
		 * context.
		 */
		@GetMapping("/budget-elsewhere")
		Mono<String> budgetElsewhere() {
			return warm().flatMap((warm) -> ReactiveCalls
				.unary(() -> ClientCalls.futureUnaryCall(this.self.newCall(Calls.DO, CallOptions.DEFAULT), "budget")));
		}

	}

}
