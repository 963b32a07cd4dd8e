package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.boot.task.ThreadPoolTaskExecutorBuilder;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.concurrent.ConcurrentTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.cancel.CallTasks;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

class CallExecutorAutoConfigurationTests {

	private static final Context.Key<String> VALUE = Context.key("test-value");

	private static final String CALL = "of the call";

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withPropertyValues("spring.task.execution.pool.core-size=1", "spring.task.execution.pool.queue-capacity=3",
				"spring.task.execution.pool.max-size=1")
		.withConfiguration(
				AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, CallExecutorAutoConfiguration.class,
						TaskExecutionAutoConfiguration.class, TaskSchedulingAutoConfiguration.class));

	private final CancellableContext call = Context.ROOT.withValue(VALUE, CALL).withCancellation();

	private final CountDownLatch busy = new CountDownLatch(1);

	@AfterEach
	void end() {
		this.busy.countDown();
		this.call.cancel(null);
	}

	private <T> T in(Callable<T> handler) throws Exception {
		return this.call.call(handler);
	}

	private void abandon() {
		this.call.cancel(new IllegalStateException("the caller left"));
	}

	private void keepBusy() {
		try {
			assertThat(this.busy.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static String seen() {
		return String.valueOf(VALUE.get());
	}

	@Test
	void executorOfSpringBootHandsOnTheCall() {
		this.runner.run((context) -> {
			AsyncTaskExecutor executor = context.getBean("applicationTaskExecutor", AsyncTaskExecutor.class);
			assertHandsOn(executor);
			assertThat(executor.submit(Context::current).get(20, TimeUnit.SECONDS)).isSameAs(Context.ROOT);
			assertThat(context).hasSingleBean(TaskDecorator.class);
		});
	}

	private void assertHandsOn(AsyncTaskExecutor executor) throws Exception {
		CompletableFuture<String> executed = new CompletableFuture<>();
		this.call.run(() -> executor.execute(() -> executed.complete(seen())));
		assertThat(executed.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
		assertThat(in(() -> executor.submit(CallExecutorAutoConfigurationTests::seen)).get(20, TimeUnit.SECONDS))
			.isEqualTo(CALL);
		assertThat(in(() -> executor.submitCompletable(CallExecutorAutoConfigurationTests::seen)).get(20,
				TimeUnit.SECONDS))
			.isEqualTo(CALL);
		assertThat(in(() -> CompletableFuture.supplyAsync(CallExecutorAutoConfigurationTests::seen, executor)).get(20,
				TimeUnit.SECONDS))
			.isEqualTo(CALL);
	}

	@Test
	void queuedTasksOfAnAbandonedCallFreeTheQueueAndTheirWaiters() {
		this.runner.run((context) -> {
			ThreadPoolTaskExecutor executor = context.getBean(ThreadPoolTaskExecutor.class);
			executor.execute(this::keepBusy);
			AtomicInteger ran = new AtomicInteger();
			Future<?> future = in(() -> executor.submit(ran::incrementAndGet));
			this.call.run(() -> executor.execute(ran::incrementAndGet));
			this.call.run(() -> executor.execute(ran::incrementAndGet));
			assertThatExceptionOfType(TaskRejectedException.class)
				.isThrownBy(() -> executor.execute(ran::incrementAndGet));
			abandon();
			assertThatThrownBy(() -> future.get(20, TimeUnit.SECONDS)).isInstanceOf(CancellationException.class);
			await().until(() -> executor.getQueueSize() == 0);
			Future<String> another = executor.submit(() -> "another call's");
			this.busy.countDown();
			assertThat(another.get(20, TimeUnit.SECONDS)).isEqualTo("another call's");
			assertThat(ran).hasValue(0);
			assertThat(context.getBean(GrpcResilience.class).stoppedWork().sums(Work.TASK).refused()).isEqualTo(3);
		});
	}

	@Test
	void taskOfAnAbandonedCallIsRejectedWithItsStatus() {
		this.runner.run((context) -> {
			abandon();
			AsyncTaskExecutor executor = context.getBean("applicationTaskExecutor", AsyncTaskExecutor.class);
			in(() -> {
				assertThatExceptionOfType(TaskRejectedException.class)
					.isThrownBy(() -> executor.submit(CallExecutorAutoConfigurationTests::seen))
					.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode())
						.isEqualTo(Status.Code.CANCELLED));
				return null;
			});
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "pool", "builtByHand", "initializedEarly", "simple", "concurrent", "scheduler" })
	void executorsOfTheApplicationHandOnTheCall(String name) {
		this.runner.withUserConfiguration(OwnExecutors.class)
			.run((context) -> assertHandsOn(context.getBean(name, AsyncTaskExecutor.class)));
	}

	@Test
	void executorThatIsBuiltButNoBeanHandsOnTheCall() {
		this.runner.run((context) -> {
			ThreadPoolTaskExecutor executor = context.getBean(ThreadPoolTaskExecutorBuilder.class).build();
			executor.initialize();
			assertHandsOn(executor);
			executor.shutdown();
		});
	}

	@Test
	void exemptExecutorsAreLeftAlone() {
		this.runner.withUserConfiguration(OwnExecutors.class)
			.withPropertyValues("grpc.resilience.cancellation.executors.exempt-beans=pool,builtByHand,simple")
			.run((context) -> {
				for (String name : List.of("pool", "builtByHand", "simple")) {
					assertThat(in(() -> context.getBean(name, AsyncTaskExecutor.class)
						.submit(CallExecutorAutoConfigurationTests::seen)).get(20, TimeUnit.SECONDS)).isEqualTo("null");
				}
				assertHandsOn(context.getBean("concurrent", AsyncTaskExecutor.class));
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "pool", "decorated" })
	void decoratorOfTheApplicationStaysAndStandsOutside(String name) {
		this.runner.withUserConfiguration(OwnExecutors.class, OwnDecorator.class).run((context) -> {
			assertThat(context).hasSingleBean(TaskDecorator.class);
			List<String> events = context.getBean(OwnDecorator.class).events;
			ThreadPoolTaskExecutor executor = context.getBean(name, ThreadPoolTaskExecutor.class);
			assertHandsOn(executor);
			await().untilAsserted(() -> assertThat(events).hasSize(8).startsWith("before", "after"));
			executor.execute(this::keepBusy);
			await().until(() -> executor.getQueueSize() == 0);
			Future<?> dropped = in(() -> executor.submit(() -> events.add("dropped")));
			this.call.run(() -> executor.execute(() -> events.add("dropped")));
			Future<?> other = executor.submit(() -> events.add("another call's"));
			abandon();
			await().until(() -> executor.getQueueSize() == 1);
			this.busy.countDown();
			other.get(20, TimeUnit.SECONDS);
			assertThat(dropped.isCancelled()).isTrue();
			assertThat(events).contains("another call's").doesNotContain("dropped");
		});
	}

	@Test
	void asyncMethodsRunForTheCall() {
		this.runner.withUserConfiguration(AsyncWork.class).run((context) -> {
			Works works = context.getBean(Works.class);
			this.call.run(works::toVoid);
			assertThat(works.seenByVoid().get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
			assertThat(in(works::toFuture).get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
			assertThat(in(works::toCompletableFuture).get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
		});
	}

	@Test
	void asyncMethodsOfAnAbandonedCallDoNotStart() {
		this.runner.withUserConfiguration(AsyncWork.class).run((context) -> {
			Works works = context.getBean(Works.class);
			context.getBean(ThreadPoolTaskExecutor.class).execute(this::keepBusy);
			this.call.run(works::toVoid);
			Future<String> queued = in(works::toFuture);
			abandon();
			assertThatThrownBy(() -> queued.get(20, TimeUnit.SECONDS)).isInstanceOf(CancellationException.class);
			assertThatExceptionOfType(TaskRejectedException.class).isThrownBy(() -> in(works::toCompletableFuture));
			this.busy.countDown();
			assertThat(context.getBean(ThreadPoolTaskExecutor.class)
				.submit(() -> works.started())
				.get(20, TimeUnit.SECONDS)).isZero();
		});
	}

	@Test
	void queuedAsyncMethodThatReturnsACompletableFutureStillCompletesIt() {
		this.runner.withUserConfiguration(AsyncWork.class).run((context) -> {
			Works works = context.getBean(Works.class);
			context.getBean(ThreadPoolTaskExecutor.class).execute(this::keepBusy);
			CompletableFuture<String> queued = in(works::toCompletableFuture);
			abandon();
			this.busy.countDown();
			assertThat(queued.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
		});
	}

	@Test
	void scheduledTasksRunForTheCallUntilItIsAbandoned() {
		this.runner.withUserConfiguration(SchedulingWork.class).run((context) -> {
			TaskScheduler scheduler = context.getBean(TaskScheduler.class);
			CompletableFuture<String> once = new CompletableFuture<>();
			Future<?> first = in(() -> scheduler.schedule(() -> once.complete(seen()), Instant.now()));
			assertThat(first).isNotNull();
			assertThat(once.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
			AtomicInteger runs = new AtomicInteger();
			Future<?> often = in(() -> scheduler.scheduleAtFixedRate(() -> {
				if (seen().equals(CALL)) {
					runs.incrementAndGet();
				}
			}, Duration.ofMillis(3)));
			await().until(() -> runs.get() > 3);
			Future<?> later = in(
					() -> scheduler.schedule(() -> runs.addAndGet(1_000_000), Instant.now().plusSeconds(60)));
			abandon();
			await().until(() -> often.isCancelled() && later.isCancelled());
			assertThat(runs.get()).isLessThan(1_000_000);
		});
	}

	@Test
	void scheduledMethodsAreOutsideOfAnyCall() {
		this.runner.withUserConfiguration(SchedulingWork.class).run((context) -> {
			SchedulingWork work = context.getBean(SchedulingWork.class);
			assertThat(work.seen.get(20, TimeUnit.SECONDS)).isSameAs(Context.ROOT);
		});
	}

	/**
	 * Spring itself remembers what it decorated only until the next garbage collection.
	 */
	@Test
	void shutdownCancelsWhatStillWaits() {
		this.runner.run((context) -> {
			ThreadPoolTaskExecutor executor = context.getBean(ThreadPoolTaskExecutor.class);
			executor.execute(this::keepBusy);
			await().until(() -> executor.getQueueSize() == 0);
			Future<?> future = in(() -> executor.submit(CallExecutorAutoConfigurationTests::seen));
			System.gc();
			executor.shutdown();
			assertThat(future.isCancelled()).isTrue();
		});
	}

	@Test
	void nothingIsThereWhenSwitchedOff() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.executors.enabled=false").run((context) -> {
			assertThat(context).doesNotHaveBean(CallTasks.class)
				.doesNotHaveBean(TaskDecorator.class)
				.doesNotHaveBean(CallExecutors.class);
			assertThat(in(() -> context.getBean(ThreadPoolTaskExecutor.class)
				.submit(CallExecutorAutoConfigurationTests::seen)).get(20, TimeUnit.SECONDS)).isEqualTo("null");
		});
	}

	@Test
	void nothingIsThereWithoutTheSchedulingClasses() {
		this.runner.withClassLoader(new FilteredClassLoader(ThreadPoolTaskExecutor.class))
			.run((context) -> assertThat(context).doesNotHaveBean(CallTasks.class));
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnExecutors {

		@Bean
		ThreadPoolTaskExecutor pool(ThreadPoolTaskExecutorBuilder builder) {
			return builder.build();
		}

		@Bean
		ThreadPoolTaskExecutor builtByHand() {
			return new ThreadPoolTaskExecutor();
		}

		@Bean
		ThreadPoolTaskExecutor initializedEarly() {
			ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
			executor.initialize();
			return executor;
		}

		@Bean
		SimpleAsyncTaskExecutor simple() {
			return new SimpleAsyncTaskExecutor();
		}

		@Bean(destroyMethod = "shutdownNow")
		ExecutorService threads() {
			return Executors.newSingleThreadExecutor();
		}

		@Bean
		ConcurrentTaskExecutor concurrent(ExecutorService threads) {
			return new ConcurrentTaskExecutor(threads);
		}

		@Bean
		ThreadPoolTaskScheduler scheduler() {
			return new ThreadPoolTaskScheduler();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnDecorator {

		private final List<String> events = new java.util.concurrent.CopyOnWriteArrayList<>();

		@Bean
		TaskDecorator ownDecorator() {
			return (task) -> () -> {
				this.events.add("before");
				task.run();
				this.events.add("after");
			};
		}

		@Bean
		ThreadPoolTaskExecutor decorated(TaskDecorator own) {
			ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
			executor.setTaskDecorator(own);
			return executor;
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	static class AsyncWork {

		@Bean
		Works works() {
			return new Works();
		}

	}

	static class Works {

		private final CompletableFuture<String> seenByVoid = new CompletableFuture<>();

		private final AtomicInteger started = new AtomicInteger();

		CompletableFuture<String> seenByVoid() {
			return this.seenByVoid;
		}

		int started() {
			return this.started.get();
		}

		@Async
		void toVoid() {
			this.started.incrementAndGet();
			this.seenByVoid.complete(seen());
		}

		@Async
		Future<String> toFuture() {
			this.started.incrementAndGet();
			return CompletableFuture.completedFuture(seen());
		}

		@Async
		CompletableFuture<String> toCompletableFuture() {
			this.started.incrementAndGet();
			return CompletableFuture.completedFuture(seen());
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableScheduling
	static class SchedulingWork {

		private final CompletableFuture<Context> seen = new CompletableFuture<>();

		@Scheduled(fixedRate = 5)
		void look() {
			this.seen.complete(Context.current());
		}

	}

}
