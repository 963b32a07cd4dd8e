package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import io.grpc.Status;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.concurrent.ConcurrentTaskScheduler;
import org.springframework.scheduling.concurrent.SimpleAsyncTaskScheduler;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.scheduling.support.PeriodicTrigger;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Whatever is scheduled is the application's, whoever has started it and whatever became
 * of that call.
 */
class SchedulerTests {

	private static final Duration PERIOD = Duration.ofMillis(30);

	private static App app;

	private static Refresh refresh;

	private final List<ScheduledFuture<?>> scheduled = new CopyOnWriteArrayList<>();

	@BeforeAll
	static void start() {
		app = App.of(Schedulers.class)
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class)
			.with(Database.create().properties())
			.start();
		refresh = app.bean(Refresh.class);
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	@AfterEach
	void cancel() {
		this.scheduled.forEach((task) -> task.cancel(false));
		refresh.begin();
	}

	static Stream<Arguments> schedulersAndFates() {
		return Stream.of("taskScheduler", "concurrentScheduler", "simpleScheduler")
			.flatMap((scheduler) -> Stream.of(Fate.values()).map((fate) -> Arguments.of(scheduler, fate)));
	}

	@ParameterizedTest
	@MethodSource("schedulersAndFates")
	void whatIsScheduledGoesOnWhateverBecameOfTheCall(String bean, Fate fate) throws Exception {
		TaskScheduler scheduler = app.bean(bean, TaskScheduler.class);
		refresh.begin();
		fate.of(() -> {
			this.scheduled.add(scheduler.scheduleAtFixedRate(refresh.of(Way.FIXED_RATE), PERIOD));
			this.scheduled.add(scheduler.scheduleWithFixedDelay(refresh.of(Way.FIXED_DELAY), PERIOD));
			this.scheduled.add(scheduler.schedule(refresh.of(Way.TRIGGER), new PeriodicTrigger(PERIOD)));
			this.scheduled
				.add(scheduler.schedule(refresh.of(Way.ONCE), Instant.now().plusMillis(App.SHORT_MILLIS + 100)));
		});
		assertGoesOn(Way.FIXED_RATE, Way.FIXED_DELAY, Way.TRIGGER);
		App.soon().untilAsserted(() -> assertThat(refresh.runs(Way.ONCE)).isEqualTo(1));
		assertThat(refresh.failures).isEmpty();
	}

	/**
	 * Spring schedules the methods of a bean when that is created.
	 */
	@ParameterizedTest
	@EnumSource
	void methodOfABeanThatACallCreatesGoesOn(Fate fate) throws Exception {
		AtomicReference<Refresher> created = new AtomicReference<>();
		refresh.begin();
		fate.of(() -> created.set(app.bean(Refresher.class)));
		assertGoesOn(Way.METHOD);
		app.destroy(created.get());
	}

	private static void assertGoesOn(Way... ways) throws InterruptedException {
		TimeUnit.MILLISECONDS.sleep(App.SHORT_MILLIS);
		Map<Way, Integer> before = new EnumMap<>(Way.class);
		for (Way way : ways) {
			before.put(way, refresh.runs(way));
		}
		for (Way way : ways) {
			App.soon().untilAsserted(() -> assertThat(refresh.runs(way)).isGreaterThan(before.get(way) + 4));
		}
		assertThat(refresh.failures).isEmpty();
	}

	/** What becomes of the call that schedules something. */
	enum Fate {

		ANSWERED {

			@Override
			void of(Runnable scheduling) {
				app.on("schedule", () -> {
					scheduling.run();
					return "scheduled";
				});
				assertThat(app.call("schedule", App.SHORT_MILLIS)).isEqualTo("scheduled");
			}

		},

		TIMED_OUT {

			@Override
			void of(Runnable scheduling) {
				app.on("schedule", () -> {
					scheduling.run();
					App.untilTheEnd();
					return "late";
				});
				timeOut();
			}

		},

		TIMED_OUT_BEFORE {

			@Override
			void of(Runnable scheduling) {
				app.on("schedule", () -> {
					App.untilTheEnd();
					scheduling.run();
					return "late";
				});
				timeOut();
			}

		};

		abstract void of(Runnable scheduling);

		private static void timeOut() {
			assertThat(app.code("schedule", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			app.awaitIdle();
		}

	}

	/** How a task is scheduled. */
	enum Way {

		FIXED_RATE, FIXED_DELAY, TRIGGER, ONCE, METHOD

	}

	/** Looks at the database now and then. */
	static class Refresh {

		private final JdbcTemplate jdbc;

		private final Map<Way, AtomicInteger> runs = new ConcurrentHashMap<>();

		private final List<Throwable> failures = new CopyOnWriteArrayList<>();

		Refresh(JdbcTemplate jdbc) {
			this.jdbc = jdbc;
		}

		void begin() {
			this.runs.clear();
			this.failures.clear();
		}

		int runs(Way way) {
			return this.runs.computeIfAbsent(way, (key) -> new AtomicInteger()).get();
		}

		Runnable of(Way way) {
			return () -> {
				try {
					assertThat(Budget.remaining()).isEmpty();
					this.jdbc.execute("select pg_sleep(0.002)");
					this.runs.computeIfAbsent(way, (key) -> new AtomicInteger()).incrementAndGet();
				}
				catch (Throwable ex) {
					this.failures.add(ex);
					throw ex;
				}
			};
		}

	}

	/** Says itself when it wants to be called. */
	static class Refresher {

		private final Runnable refresh;

		Refresher(Refresh refresh) {
			this.refresh = refresh.of(Way.METHOD);
		}

		@Scheduled(fixedRate = 30)
		void refresh() {
			this.refresh.run();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableScheduling
	static class Schedulers {

		@Bean
		Refresh refresh(JdbcTemplate jdbc) {
			return new Refresh(jdbc);
		}

		@Bean
		@Scope("prototype")
		Refresher refresher(Refresh refresh) {
			return new Refresher(refresh);
		}

		@Bean
		ThreadPoolTaskScheduler taskScheduler() {
			ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
			scheduler.setPoolSize(4);
			return scheduler;
		}

		@Bean
		ConcurrentTaskScheduler concurrentScheduler() {
			return new ConcurrentTaskScheduler(Executors.newScheduledThreadPool(4));
		}

		@Bean
		SimpleAsyncTaskScheduler simpleScheduler() {
			return new SimpleAsyncTaskScheduler();
		}

	}

}
