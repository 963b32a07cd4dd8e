package io.github.grpcresilience.autoconfigure;

import java.time.Instant;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
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
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

class CallTaskAutoConfigurationTests {

	private static final Context.Key<String> TENANT = Context.key("tenant");

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withPropertyValues("spring.task.execution.pool.core-size=1", "spring.task.execution.pool.max-size=1")
		.withConfiguration(AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, CallTaskAutoConfiguration.class,
				TaskExecutionAutoConfiguration.class, TaskSchedulingAutoConfiguration.class));

	private final CancellableContext call = Context.current().withValue(TENANT, "blue").withCancellation();

	private final AtomicInteger ran = new AtomicInteger();

	private void leave() {
		this.call.cancel(new IllegalStateException("the caller left"));
	}

	@Test
	void executorOfSpringBootHandsTheCallOn() {
		this.runner.run((context) -> {
			assertThat(context).hasSingleBean(TaskDecorator.class);
			assertHandsOn(context.getBean(AsyncTaskExecutor.class));
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "plain", "decorated", "simple" })
	void executorsOfTheUserHandTheCallOn(String name) {
		this.runner.withUserConfiguration(Executors.class).run((context) -> {
			assertHandsOn(context.getBean(name, AsyncTaskExecutor.class));
			assertThat(context.getBean(Executors.class).decorated.get() > 0).isEqualTo(name.equals("decorated"));
		});
	}

	@Test
	void executorWithVirtualThreadsHandsTheCallOn() {
		if (Runtime.version().feature() >= 21) {
			this.runner.withPropertyValues("spring.threads.virtual.enabled=true")
				.run((context) -> assertHandsOn(context.getBean(SimpleAsyncTaskExecutor.class)));
		}
	}

	private void assertHandsOn(AsyncTaskExecutor executor) throws Exception {
		assertThat(this.call.call(() -> executor.submit(() -> TENANT.get())).get(10, TimeUnit.SECONDS))
			.isEqualTo("blue");
		assertThat(this.call.call(() -> executor.submitCompletable(() -> TENANT.get())).get(10, TimeUnit.SECONDS))
			.isEqualTo("blue");
		assertThat(executor.submit(() -> String.valueOf(TENANT.get())).get(10, TimeUnit.SECONDS)).isEqualTo("null");
	}

	@Test
	void tasksOfAnAbandonedCallLeaveTheQueue() {
		this.runner.run((context) -> {
			ThreadPoolTaskExecutor executor = context.getBean(ThreadPoolTaskExecutor.class);
			CountDownLatch release = new CountDownLatch(1);
			executor.execute(() -> awaitQuietly(release));
			Future<?> future = this.call.call(() -> executor.submit(this.ran::incrementAndGet));
			this.call.run(() -> executor.execute(this.ran::incrementAndGet));
			leave();
			assertThatExceptionOfType(CancellationException.class).isThrownBy(() -> future.get(10, TimeUnit.SECONDS));
			await().until(() -> executor.getThreadPoolExecutor().getQueue().isEmpty());
			assertThat(catchThrowable(() -> this.call.run(() -> executor.execute(this.ran::incrementAndGet))))
				.isInstanceOf(TaskRejectedException.class)
				.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode())
					.isEqualTo(Status.Code.CANCELLED));
			release.countDown();
			executor.submit(() -> true).get(10, TimeUnit.SECONDS);
			assertThat(this.ran).hasValue(0);
			assertThat(context.getBean(GrpcResilience.class).stoppedWork().sums(Work.TASK).refused()).isEqualTo(3);
		});
	}

	@Test
	void asyncMethodsSeeTheCallAndDoNotStartWithoutIt() {
		this.runner.withUserConfiguration(Mailer.class).run((context) -> {
			Mailer mailer = context.getBean(Mailer.class);
			assertThat(this.call.call(mailer::tenant).get(10, TimeUnit.SECONDS)).isEqualTo("blue");
			CountDownLatch release = new CountDownLatch(1);
			context.getBean(AsyncTaskExecutor.class).execute(() -> awaitQuietly(release));
			this.call.run(() -> mailer.send(this.ran));
			leave();
			release.countDown();
			assertThat(mailer.tenant().get(10, TimeUnit.SECONDS)).isNull();
			assertThat(this.ran).hasValue(0);
		});
	}

	@Test
	void scheduledTasksOfAnAbandonedCallAreCancelled() {
		this.runner.withUserConfiguration(Scheduling.class).run((context) -> {
			TaskScheduler scheduler = context.getBean(TaskScheduler.class);
			CompletableFuture<String> tenant = new CompletableFuture<>();
			Future<?> unused = this.call
				.call(() -> scheduler.schedule(() -> tenant.complete(TENANT.get()), Instant.now()));
			assertThat(tenant.get(10, TimeUnit.SECONDS)).isEqualTo("blue");
			Future<?> later = this.call
				.call(() -> scheduler.schedule(this.ran::incrementAndGet, Instant.now().plusSeconds(600)));
			leave();
			await().until(later::isCancelled);
			CompletableFuture<String> outside = new CompletableFuture<>();
			unused = scheduler.schedule(() -> outside.complete(String.valueOf(TENANT.get())), Instant.now());
			assertThat(outside.get(10, TimeUnit.SECONDS)).isEqualTo("null");
			assertThat(this.ran).hasValue(0);
		});
	}

	@Test
	void exemptBeansAreLeftAlone() {
		this.runner.withUserConfiguration(Executors.class)
			.withPropertyValues("grpc.resilience.cancellation.executors.exempt-beans=plain")
			.run((context) -> assertSeesNoCall(context.getBean("plain", AsyncTaskExecutor.class)));
	}

	@Test
	void switchedOffNothingIsDecorated() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.executors.enabled=false").run((context) -> {
			assertThat(context).doesNotHaveBean(TaskDecorator.class);
			assertSeesNoCall(context.getBean(AsyncTaskExecutor.class));
		});
		this.runner.withPropertyValues("grpc.resilience.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(TaskDecorator.class));
	}

	@Test
	void decoratorOfTheUserStaysTheOnlyOne() {
		TaskDecorator own = (task) -> () -> {
			this.ran.incrementAndGet();
			task.run();
		};
		this.runner.withBean("own", TaskDecorator.class, () -> own).run((context) -> {
			assertThat(context.getBean(TaskDecorator.class)).isSameAs(own);
			assertHandsOn(context.getBean(AsyncTaskExecutor.class));
			assertThat(this.ran.get()).isPositive();
		});
	}

	private void assertSeesNoCall(AsyncTaskExecutor executor) throws Exception {
		Future<String> tenant = this.call.call(() -> executor.submit(() -> String.valueOf(TENANT.get())));
		assertThat(tenant.get(10, TimeUnit.SECONDS)).isEqualTo("null");
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await(20, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Executors {

		private final AtomicInteger decorated = new AtomicInteger();

		@Bean
		ThreadPoolTaskExecutor plain() {
			return new ThreadPoolTaskExecutor();
		}

		@Bean
		ThreadPoolTaskExecutor decorated() {
			ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
			executor.setTaskDecorator((task) -> {
				this.decorated.incrementAndGet();
				return task;
			});
			return executor;
		}

		@Bean
		SimpleAsyncTaskExecutor simple() {
			return new SimpleAsyncTaskExecutor();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	static class Mailer {

		@Async
		CompletableFuture<String> tenant() {
			return CompletableFuture.completedFuture(TENANT.get());
		}

		@Async
		void send(AtomicInteger sent) {
			sent.incrementAndGet();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableScheduling
	static class Scheduling {

	}

}
