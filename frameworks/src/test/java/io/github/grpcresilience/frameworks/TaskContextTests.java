package io.github.grpcresilience.frameworks;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.micrometer.context.ContextRegistry;
import io.micrometer.context.integration.Slf4jThreadLocalAccessor;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.MDC;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.support.ContextPropagatingTaskDecorator;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a thread knows besides its call, such as its observation, from which traces come,
 * and what it logs: in tasks as the application's own decorator wants it, whoever the
 * task belongs to.
 */
class TaskContextTests {

	private static final ObservationRegistry OBSERVATIONS = ObservationRegistry.create();

	private static App plain;

	private static App propagating;

	@BeforeAll
	static void start() {
		OBSERVATIONS.observationConfig().observationHandler((context) -> true);
		ContextRegistry.getInstance().registerThreadLocalAccessor(new Slf4jThreadLocalAccessor("user"));
		plain = App.of(Beans.class).auto(TaskExecutionAutoConfiguration.class).start();
		propagating = App.of(Beans.class, Propagation.class).auto(TaskExecutionAutoConfiguration.class).start();
		for (App app : new App[] { plain, propagating }) {
			Works works = app.bean(Works.class);
			app.on("future", () -> observed(works::future));
			app.on("void", () -> observed(() -> {
				CompletableFuture<String> seen = new CompletableFuture<>();
				works.tell(seen);
				return seen;
			}));
		}
	}

	@AfterAll
	static void stop() {
		plain.close();
		propagating.close();
		ContextRegistry.getInstance().removeThreadLocalAccessor(Slf4jThreadLocalAccessor.KEY);
	}

	private static String observed(Supplier<CompletableFuture<String>> work) throws Exception {
		Observation observation = Observation.start("handler", OBSERVATIONS);
		MDC.put("user", "ada");
		Observation.Scope scope = observation.openScope();
		try {
			return work.get().get(20, TimeUnit.SECONDS);
		}
		finally {
			scope.close();
			MDC.remove("user");
			observation.stop();
		}
	}

	private static String seen() {
		Observation current = OBSERVATIONS.getCurrentObservation();
		return ((current != null) ? current.getContext().getName() : null) + " " + MDC.get("user") + " " + budget();
	}

	private static String budget() {
		return Budget.remaining().isPresent() ? "budget" : "no budget";
	}

	@ParameterizedTest
	@CsvSource({ "future, handler ada budget", "void, handler ada no budget" })
	void tasksKnowWhatTheApplicationsDecoratorCarries(String request, String seen) {
		assertThat(propagating.call(request, App.LONG_MILLIS)).isEqualTo(seen);
	}

	@ParameterizedTest
	@CsvSource({ "future, null null budget", "void, null null no budget" })
	void tasksKnowNothingElseWithoutOne(String request, String seen) {
		assertThat(plain.call(request, App.LONG_MILLIS)).isEqualTo(seen);
	}

	/** Says what it knows. */
	static class Works {

		@Async
		CompletableFuture<String> future() {
			return CompletableFuture.completedFuture(seen());
		}

		@Async
		void tell(CompletableFuture<String> result) {
			result.complete(seen());
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@Import(Works.class)
	static class Beans {

	}

	@Configuration(proxyBeanMethods = false)
	static class Propagation {

		@Bean
		TaskDecorator propagation() {
			return new ContextPropagatingTaskDecorator();
		}

	}

}
