package io.github.grpcresilience.autoconfigure.cancellation;

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
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

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
import org.springframework.scheduling.concurrent.ConcurrentTaskScheduler;
import org.springframework.scheduling.concurrent.SimpleAsyncTaskScheduler;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.scheduling.support.PeriodicTrigger;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.CallTasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

class CallExecutorAutoConfigurationTests {

	private static final String CALL = "the call";

	private static final String NOBODY = "nobody";

	private static final String CALLS_OF_APPLICATION = "grpc.resilience.cancellation.executors.beans.applicationTaskExecutor=call";

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withPropertyValues("spring.task.execution.pool.core-size=1", "spring.task.execution.pool.queue-capacity=3",
				"spring.task.execution.pool.max-size=1")
		.withConfiguration(
				AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, CallExecutorAutoConfiguration.class,
						TaskExecutionAutoConfiguration.class, TaskSchedulingAutoConfiguration.class));

	private final TestCall call = TestCall.begin();

	private final CountDownLatch busy = new CountDownLatch(1);

	@AfterEach
	void end() {
		this.busy.countDown();
		this.call.close();
	}

	private <T> T in(Callable<T> handler) throws Exception {
		return this.call.call(handler);
	}

	private void abandon() {
		this.call.abandon();
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
		return (CallScope.current() != null) ? CALL : CallScope.isNobody() ? NOBODY : "nothing";
	}

	@Test
	void tasksBelongToNobodyUnlessSomebodySaysSo() {
		this.runner.run((context) -> {
			AsyncTaskExecutor executor = context.getBean("applicationTaskExecutor", AsyncTaskExecutor.class);
			assertTasksOf(NOBODY, executor);
			assertThat(executor.submit(CallScope::entered).get(20, TimeUnit.SECONDS)).isNull();
			assertThat(context).doesNotHaveBean(TaskDecorator.class);
		});
	}

	@Test
	void tasksOfAnExecutorThatIsNamedBelongToTheCall() {
		this.runner.withPropertyValues(CALLS_OF_APPLICATION).run((context) -> {
			AsyncTaskExecutor executor = context.getBean("applicationTaskExecutor", AsyncTaskExecutor.class);
			assertTasksOf(CALL, executor);
			assertThat(executor.submit(CallScope::entered).get(20, TimeUnit.SECONDS)).isNull();
		});
	}

	private void assertTasksOf(String owner, AsyncTaskExecutor executor) throws Exception {
		CompletableFuture<String> executed = new CompletableFuture<>();
		this.call.run(() -> executor.execute(() -> executed.complete(seen())));
		assertThat(executed.get(20, TimeUnit.SECONDS)).isEqualTo(owner);
		assertThat(in(() -> executor.submit(CallExecutorAutoConfigurationTests::seen)).get(20, TimeUnit.SECONDS))
			.isEqualTo(owner);
		assertThat(in(() -> executor.submitCompletable(CallExecutorAutoConfigurationTests::seen)).get(20,
				TimeUnit.SECONDS))
			.isEqualTo(owner);
		assertThat(in(() -> CompletableFuture.supplyAsync(CallExecutorAutoConfigurationTests::seen, executor)).get(20,
				TimeUnit.SECONDS))
			.isEqualTo(owner);
	}

	@Test
	void tasksThatBelongToNobodyAreLeftAlone() {
		this.runner.run((context) -> {
			ThreadPoolTaskExecutor executor = context.getBean(ThreadPoolTaskExecutor.class);
			executor.execute(this::keepBusy);
			Future<String> queued = in(() -> executor.submit(CallExecutorAutoConfigurationTests::seen));
			abandon();
			Future<String> late = in(() -> executor.submit(CallExecutorAutoConfigurationTests::seen));
			this.busy.countDown();
			assertThat(queued.get(20, TimeUnit.SECONDS)).isEqualTo(NOBODY);
			assertThat(late.get(20, TimeUnit.SECONDS)).isEqualTo(NOBODY);
			assertThat(context.getBean(GrpcResilience.class).inspection().stoppedWork().sums(Work.TASK).refused())
				.isZero();
		});
	}

	/** The pool is full, so the task runs on the thread of the handler. */
	@Test
	void taskThatItsCallerRunsBelongsToNobody() {
		this.runner.withUserConfiguration(CallerRuns.class).run((context) -> {
			ThreadPoolTaskExecutor executor = context.getBean("callerRuns", ThreadPoolTaskExecutor.class);
			executor.execute(this::keepBusy);
			in(() -> {
				CompletableFuture<String> ran = new CompletableFuture<>();
				executor.execute(() -> ran.complete(seen() + " on " + Thread.currentThread().getName()));
				assertThat(ran).isCompletedWithValue(NOBODY + " on " + Thread.currentThread().getName());
				assertThat(seen()).isEqualTo(CALL);
				return null;
			});
		});
	}

	@Test
	void queuedTasksOfAnAbandonedCallFreeTheQueueAndTheirWaiters() {
		this.runner.withPropertyValues(CALLS_OF_APPLICATION).run((context) -> {
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
			assertThat(context.getBean(GrpcResilience.class).inspection().stoppedWork().sums(Work.TASK).refused())
				.isEqualTo(3);
		});
	}

	@Test
	void tasksAreRejectedWithTheirStatusWhenTheGraceOfTheirCallIsUsedUp() {
		this.runner.withPropertyValues(CALLS_OF_APPLICATION).run((context) -> {
			abandon();
			AsyncTaskExecutor executor = context.getBean("applicationTaskExecutor", AsyncTaskExecutor.class);
			in(() -> {
				for (int i = 0; i < 64; i++) {
					executor.submit(CallExecutorAutoConfigurationTests::seen).get(20, TimeUnit.SECONDS);
				}
				assertThatExceptionOfType(TaskRejectedException.class)
					.isThrownBy(() -> executor.submit(CallExecutorAutoConfigurationTests::seen))
					.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode())
						.isEqualTo(Status.Code.CANCELLED));
				return null;
			});
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "pool", "builtByHand", "initializedEarly", "simple", "concurrent" })
	void executorsOfTheApplicationMayBeNamed(String name) {
		this.runner.withUserConfiguration(OwnExecutors.class).run((context) -> {
			assertTasksOf(NOBODY, context.getBean(name, AsyncTaskExecutor.class));
		});
		this.runner.withUserConfiguration(OwnExecutors.class)
			.withPropertyValues("grpc.resilience.cancellation.executors.beans." + name + "=call")
			.run((context) -> assertTasksOf(CALL, context.getBean(name, AsyncTaskExecutor.class)));
	}

	@Test
	void exemptExecutorsAreLeftAlone() {
		this.runner.withUserConfiguration(OwnExecutors.class)
			.withPropertyValues("grpc.resilience.cancellation.executors.exempt-beans=pool,builtByHand,simple")
			.run((context) -> {
				for (String name : List.of("pool", "builtByHand", "simple")) {
					assertThat(in(() -> context.getBean(name, AsyncTaskExecutor.class)
						.submit(CallExecutorAutoConfigurationTests::seen)).get(20, TimeUnit.SECONDS))
						.isEqualTo("nothing");
				}
				assertTasksOf(NOBODY, context.getBean("concurrent", AsyncTaskExecutor.class));
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "pool", "decorated" })
	void decoratorOfTheApplicationStaysAndStandsOutside(String name) {
		this.runner.withUserConfiguration(OwnExecutors.class, OwnDecorator.class)
			.withPropertyValues("grpc.resilience.cancellation.executors.beans." + name + "=call")
			.run((context) -> {
				assertThat(context).hasSingleBean(TaskDecorator.class);
				List<String> events = context.getBean(OwnDecorator.class).events;
				ThreadPoolTaskExecutor executor = context.getBean(name, ThreadPoolTaskExecutor.class);
				assertTasksOf(CALL, executor);
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
	void asyncMethodsBelongToTheCallThatAsksForAFuture() {
		this.runner.withUserConfiguration(AsyncWork.class).run((context) -> {
			Works works = context.getBean(Works.class);
			this.call.run(works::toVoid);
			assertThat(works.seenByVoid().get(20, TimeUnit.SECONDS)).isEqualTo(NOBODY);
			assertThat(in(works::toFuture).get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
			assertThat(in(works::toCompletableFuture).get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
			assertThat(works.toFuture().get(20, TimeUnit.SECONDS)).isEqualTo("nothing");
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
			this.busy.countDown();
			assertThat(works.seenByVoid().get(20, TimeUnit.SECONDS)).isEqualTo(NOBODY);
			assertThat(works.started()).isEqualTo(1);
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

	@ParameterizedTest
	@ValueSource(strings = { "pool", "concurrent", "simple" })
	void whatIsScheduledBelongsToTheApplication(String name) {
		this.runner.withUserConfiguration(Schedulers.class)
			.withPropertyValues("grpc.resilience.cancellation.executors.beans." + name + "=call")
			.run((context) -> {
				TaskScheduler scheduler = context.getBean(name, TaskScheduler.class);
				CompletableFuture<String> once = new CompletableFuture<>();
				AtomicInteger runs = new AtomicInteger();
				AtomicInteger triggered = new AtomicInteger();
				Future<?> first = in(() -> scheduler.schedule(() -> once.complete(seen()), Instant.now()));
				Future<?> often = in(() -> scheduler.scheduleAtFixedRate(runs::incrementAndGet, Duration.ofMillis(3)));
				Future<?> byTrigger = in(() -> scheduler.schedule(triggered::incrementAndGet,
						new PeriodicTrigger(Duration.ofMillis(3))));
				assertThat(once.get(20, TimeUnit.SECONDS)).isEqualTo("nothing");
				abandon();
				int before = runs.get();
				int triggeredBefore = triggered.get();
				await().until(() -> runs.get() > before + 7 && triggered.get() > triggeredBefore + 7);
				assertThat(first).isNotNull();
				often.cancel(false);
				byTrigger.cancel(false);
			});
	}

	@Test
	void scheduledMethodsAreOutsideOfAnyCall() {
		this.runner.withUserConfiguration(SchedulingWork.class).run((context) -> {
			SchedulingWork work = context.getBean(SchedulingWork.class);
			assertThat(work.seen.get(20, TimeUnit.SECONDS)).isEqualTo("nothing");
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
				.submit(CallExecutorAutoConfigurationTests::seen)).get(20, TimeUnit.SECONDS)).isEqualTo("nothing");
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

	}

	@Configuration(proxyBeanMethods = false)
	static class CallerRuns {

		@Bean
		ThreadPoolTaskExecutor callerRuns() {
			ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
			executor.setCorePoolSize(1);
			executor.setMaxPoolSize(1);
			executor.setQueueCapacity(0);
			executor.setRejectedExecutionHandler(new ThreadPoolExecutor.CallerRunsPolicy());
			return executor;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Schedulers {

		@Bean
		ThreadPoolTaskScheduler pool() {
			return new ThreadPoolTaskScheduler();
		}

		@Bean(destroyMethod = "shutdownNow")
		ScheduledExecutorService threads() {
			return Executors.newScheduledThreadPool(4);
		}

		@Bean
		ConcurrentTaskScheduler concurrent(ScheduledExecutorService threads) {
			return new ConcurrentTaskScheduler(threads);
		}

		@Bean
		SimpleAsyncTaskScheduler simple() {
			return new SimpleAsyncTaskScheduler();
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

		private final CompletableFuture<String> seen = new CompletableFuture<>();

		@Scheduled(fixedRate = 5)
		void look() {
			this.seen.complete(CallExecutorAutoConfigurationTests.seen());
		}

	}

}
