package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * OpenTelemetry carries gRPC's Context along with its own, to threads that nobody gave it
 * to. What a call began there goes on whatever became of the call.
 */
class CarriedContextTests {

	private static App app;

	private static Works works;

	@BeforeAll
	static void start() {
		app = App.of(Beans.class).start();
		works = app.bean(Works.class);
		app.on("slow", () -> {
			TimeUnit.MILLISECONDS.sleep(App.SHORT_MILLIS / 2);
			return "answer";
		});
		app.on("budget", () -> Budget.remaining().orElseThrow().toString());
	}

	@AfterAll
	static void stop() {
		app.close();
		works.timer().shutdownNow();
	}

	@ParameterizedTest
	@EnumSource
	@Tag("opentelemetry-bridge")
	@Tag("opentelemetry-agent")
	@Tag("opentelemetry-agent-and-bridge")
	void whatACallBeginsGoesOnAfterItsAnswer(Way way) throws Exception {
		CompletableFuture<Void> ended = new CompletableFuture<>();
		CompletableFuture<String> done = new CompletableFuture<>();
		app.on("begin", () -> {
			way.begin(works, ended, () -> done.complete(works.call("slow")));
			return "answered";
		});
		assertThat(app.call("begin", App.LONG_MILLIS)).isEqualTo("answered");
		ended.complete(null);
		assertThat(done.get(20, TimeUnit.SECONDS)).isEqualTo("answer");
	}

	@ParameterizedTest
	@EnumSource
	@Tag("opentelemetry-bridge")
	@Tag("opentelemetry-agent")
	void whatACallBeginsGoesOnAfterItsEnd(Way way) throws Exception {
		CompletableFuture<Void> ended = new CompletableFuture<>();
		CompletableFuture<String> done = new CompletableFuture<>();
		app.on("begin", () -> {
			way.begin(works, ended, () -> done.complete(works.call("slow")));
			App.untilTheEnd();
			return "late";
		});
		assertThat(app.code("begin", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		app.awaitIdle();
		ended.complete(null);
		assertThat(done.get(20, TimeUnit.SECONDS)).isEqualTo("answer");
	}

	/**
	 * But Reactor's chains see their call while it runs.
	 */
	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MONO")
	@Tag("opentelemetry-bridge")
	@Tag("opentelemetry-agent")
	void whatACallBeginsHasNoBudget(Way way) {
		app.on("begin", () -> seen(way));
		assertThat(app.call("begin", App.LONG_MILLIS)).isEqualTo("Optional.empty");
	}

	/**
	 * As without us: who carries gRPC's Context carries its deadline.
	 */
	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUTURE")
	@Tag("opentelemetry-agent-and-bridge")
	void budgetIsWhereverTheDeadlineOfGrpcsContextIs(Way way) {
		app.on("begin", () -> seen(way));
		assertThat(app.call("begin", App.LONG_MILLIS)).startsWith("Optional[PT");
	}

	private static String seen(Way way) throws Exception {
		CompletableFuture<String> seen = new CompletableFuture<>();
		way.begin(works, CompletableFuture.completedFuture(null), () -> seen.complete(Budget.remaining() + ""));
		return seen.get(20, TimeUnit.SECONDS);
	}

	@Test
	@Tag("opentelemetry-bridge")
	@Tag("opentelemetry-agent")
	@Tag("opentelemetry-agent-and-bridge")
	void whatTheCallWaitsForHasItsBudget() {
		app.on("begin", () -> works.budget().get());
		assertThat(Duration.parse(app.call("begin", 1_234))).isPositive().isLessThan(Duration.ofMillis(1_234));
	}

	/** How work is begun. */
	enum Way {

		SCHEDULER {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				Future<?> unused = works.scheduler().schedule(waiting(when, work), Instant.now());
			}

		},

		TIMER {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				Future<?> unused = works.timer().schedule(waiting(when, work), 10, TimeUnit.MILLISECONDS);
			}

		},

		EXECUTOR {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				works.executor().execute(waiting(when, work));
			}

		},

		POOL {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				works.timer().execute(waiting(when, work));
			}

		},

		FUTURE {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				CompletableFuture<Void> unused = when.thenRunAsync(work);
			}

		},

		ASYNC {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				works.run(waiting(when, work));
			}

		},

		MONO {

			@Override
			void begin(Works works, CompletableFuture<Void> when, Runnable work) {
				Disposable unused = Mono.fromFuture(when)
					.then(Mono.fromRunnable(work).subscribeOn(Schedulers.boundedElastic()))
					.subscribe();
			}

		};

		abstract void begin(Works works, CompletableFuture<Void> when, Runnable work);

		private static Runnable waiting(CompletableFuture<Void> when, Runnable work) {
			return () -> {
				when.join();
				work.run();
			};
		}

	}

	/** Works on other threads. */
	static class Works {

		private final ThreadPoolTaskScheduler scheduler;

		private final Executor executor;

		private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(4);

		@GrpcClient("self")
		private Channel self;

		Works(ThreadPoolTaskScheduler scheduler, ThreadPoolTaskExecutor executor) {
			this.scheduler = scheduler;
			this.executor = executor;
		}

		ThreadPoolTaskScheduler scheduler() {
			return this.scheduler;
		}

		Executor executor() {
			return this.executor;
		}

		ScheduledExecutorService timer() {
			return this.timer;
		}

		String call(String request) {
			return ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, request);
		}

		@Async("executor")
		void run(Runnable work) {
			work.run();
		}

		@Async("executor")
		CompletableFuture<String> budget() {
			return CompletableFuture.completedFuture(call("budget"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@Import(Works.class)
	static class Beans {

		@Bean
		ThreadPoolTaskScheduler taskScheduler() {
			ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
			scheduler.setPoolSize(4);
			return scheduler;
		}

		@Bean
		ThreadPoolTaskExecutor executor() {
			ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
			executor.setCorePoolSize(4);
			return executor;
		}

	}

}
