package io.github.grpcresilience.frameworks;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.stub.ClientCalls;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletResponse;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.interceptor.GrpcGlobalServerInterceptor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.server.WebFilter;
import reactor.core.publisher.Mono;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Traces of OpenTelemetry where gRPC's Context is kept inside OpenTelemetry's: nothing of
 * a request or a call stays on a thread that others use later.
 */
@Tag("opentelemetry-bridge")
@Tag("opentelemetry-agent")
@Tag("opentelemetry-agent-and-bridge")
class TraceTests {

	private static final int REQUESTS = 10;

	private static App mvc;

	private static App webFlux;

	@BeforeAll
	static void start() {
		mvc = App.of(ServletWeb.class)
			.mvc()
			.auto(TaskExecutionAutoConfiguration.class)
			.with("server.tomcat.threads.max=1", "spring.task.execution.pool.core-size=1")
			.start();
		webFlux = App.of(ReactiveWeb.class).webFlux().start();
		for (App app : new App[] { mvc, webFlux }) {
			app.on("trace", TraceTests::trace);
			app.on("budget", () -> Budget.remaining().isPresent() + "");
		}
		mvc.on("async", () -> mvc.bean(Works.class).trace().get());
	}

	@AfterAll
	static void stop() {
		mvc.close();
		webFlux.close();
	}

	private static String trace() {
		return Span.current().getSpanContext().getTraceId();
	}

	/**
	 * Without that the others would say nothing.
	 */
	@Test
	void contextOfGrpcIsKeptInsideOpenTelemetrys() throws Exception {
		Context.Key<String> key = Context.key("key");
		AtomicReference<String> seen = new AtomicReference<>();
		Runnable carried = Context.current()
			.withValue(key, "value")
			.call(() -> io.opentelemetry.context.Context.current().wrap(() -> seen.set(key.get())));
		carried.run();
		assertThat(seen).hasValue("value");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/plain", "/stub", "/callable", "/deferred", "/future", "/async" })
	void eachRequestOfMvcHasATraceOfItsOwn(String path) {
		assertOwnTraces(mvc, path);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/plain", "/stub" })
	void eachRequestOfWebFluxHasATraceOfItsOwn(String path) {
		assertOwnTraces(webFlux, path);
	}

	private static void assertOwnTraces(App app, String path) {
		Set<String> traces = new HashSet<>();
		for (int i = 0; i < REQUESTS; i++) {
			HttpResponse<String> response = app.get(path, App.LONG_MILLIS);
			String trace = response.headers().firstValue("trace").orElseThrow();
			assertThat(response.body()).isEqualTo(trace);
			traces.add(trace);
		}
		assertThat(traces).hasSize(REQUESTS);
	}

	@ParameterizedTest
	@ValueSource(strings = { "trace", "async" })
	void eachCallHasATraceOfItsOwnAndItsTasksHaveThat(String request) {
		Set<String> traces = new HashSet<>();
		for (int i = 0; i < REQUESTS; i++) {
			traces.add(mvc.call(request, App.LONG_MILLIS));
		}
		assertThat(traces).hasSize(REQUESTS).doesNotContain(Span.getInvalid().getSpanContext().getTraceId());
	}

	@ParameterizedTest
	@ValueSource(strings = { "/budget", "/callable-budget" })
	void handlersOfRequestsStillHaveTheirBudget(String path) {
		assertThat(mvc.get(path, App.LONG_MILLIS).body()).isEqualTo("true");
	}

	@Test
	void nothingIsLeftOnThreadsOfPools() throws Exception {
		mvc.call("async", App.LONG_MILLIS);
		mvc.get("/async", App.LONG_MILLIS);
		assertThat(mvc.bean(Works.class).trace().get()).isEqualTo(trace())
			.isEqualTo(Span.getInvalid().getSpanContext().getTraceId());
	}

	/** Makes spans as tracers do. */
	static class Tracing {

		@Bean
		@GrpcGlobalServerInterceptor
		ServerInterceptor tracing() {
			return new ServerInterceptor() {

				@Override
				public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers,
						ServerCallHandler<Q, A> next) {
					Span span = span("call");
					Scope scope = span.makeCurrent();
					try {
						return new SimpleForwardingServerCallListener<Q>(next.startCall(call, headers)) {

							@Override
							public void onHalfClose() {
								Scope scope = span.makeCurrent();
								try {
									super.onHalfClose();
								}
								finally {
									scope.close();
									span.end();
								}
							}

						};
					}
					finally {
						scope.close();
					}
				}

			};
		}

		static Span span(String name) {
			return GlobalOpenTelemetry.getTracer("frameworks").spanBuilder(name).startSpan();
		}

	}

	/** Has a trace in tasks. */
	static class Works {

		@Async
		CompletableFuture<String> trace() {
			return CompletableFuture.completedFuture(TraceTests.trace());
		}

	}

	/** Answers with the trace of the thread that it is called on. */
	@RestController
	static class Controller {

		private final Works works;

		private final AsyncTaskExecutor executor;

		@GrpcClient("self")
		private Channel self;

		Controller(Works works, @Qualifier("applicationTaskExecutor") AsyncTaskExecutor executor) {
			this.works = works;
			this.executor = executor;
		}

		private String call(String request) {
			return ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, request);
		}

		@GetMapping("/plain")
		String plain() {
			return trace();
		}

		@GetMapping("/stub")
		String stub() {
			call("budget");
			return trace();
		}

		@GetMapping("/callable")
		Callable<String> callable() {
			String trace = trace();
			return () -> trace;
		}

		@GetMapping("/deferred")
		DeferredResult<String> deferred() {
			DeferredResult<String> result = new DeferredResult<>();
			String trace = trace();
			this.executor.execute(() -> result.setResult(trace));
			return result;
		}

		@GetMapping("/future")
		CompletableFuture<String> future() {
			String trace = trace();
			return CompletableFuture.supplyAsync(() -> trace);
		}

		@GetMapping("/async")
		CompletableFuture<String> async() {
			String trace = trace();
			return this.works.trace().thenApply((seen) -> trace);
		}

		@GetMapping("/budget")
		String budget() {
			return Budget.remaining().isPresent() + "";
		}

		@GetMapping("/callable-budget")
		Callable<String> callableBudget() {
			return this::budget;
		}

	}

	/** Answers with the trace of the thread that it is called on. */
	@RestController
	static class ReactiveController {

		@GrpcClient("self")
		private Channel self;

		@GetMapping("/plain")
		Mono<String> plain() {
			return Mono.just(trace());
		}

		@GetMapping("/stub")
		Mono<String> stub() {
			String trace = trace();
			return Mono
				.fromFuture(() -> CompletableFuture.supplyAsync(
						() -> ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, "budget")))
				.map((budget) -> trace);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@Import({ Tracing.class, Works.class, Controller.class })
	static class ServletWeb {

		@Bean
		FilterRegistrationBean<Filter> spans() {
			FilterRegistrationBean<Filter> spans = new FilterRegistrationBean<>(ServletWeb::trace);
			spans.setAsyncSupported(true);
			spans.setOrder(Ordered.HIGHEST_PRECEDENCE);
			return spans;
		}

		private static void trace(ServletRequest request, ServletResponse response, FilterChain chain)
				throws IOException, ServletException {
			Span span = Tracing.span("request");
			((HttpServletResponse) response).setHeader("trace", span.getSpanContext().getTraceId());
			Scope scope = span.makeCurrent();
			try {
				chain.doFilter(request, response);
			}
			finally {
				scope.close();
				span.end();
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	@Import({ Tracing.class, ReactiveController.class })
	static class ReactiveWeb {

		@Bean
		@Order(Ordered.HIGHEST_PRECEDENCE)
		WebFilter spans() {
			return (exchange, chain) -> Mono.from((subscriber) -> {
				Span span = Tracing.span("request");
				exchange.getResponse().getHeaders().set("trace", span.getSpanContext().getTraceId());
				Scope scope = span.makeCurrent();
				try {
					chain.filter(exchange).subscribe(subscriber);
				}
				finally {
					scope.close();
					span.end();
				}
			});
		}

	}

}
