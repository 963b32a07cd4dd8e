package io.github.grpcresilience.frameworks;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.advice.GrpcAdvice;
import net.devh.boot.grpc.server.advice.GrpcExceptionHandler;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * An application that is run in a JVM of its own, where its developer's tools start it
 * again, with new classes, whenever something of it has changed.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@EnableAsync
@Import({ Calls.class, RestartedApplication.Web.class, RestartedApplication.Advice.class })
public class RestartedApplication {

	/** More than any database or test has time for. */
	private static final String SLOW = "select sum(a.x * b.x) from system_range(1, 10000000) a, system_range(1, 10000000) b";

	public static void main(String[] arguments) {
		SpringApplication.run(RestartedApplication.class, arguments);
	}

	@Bean
	ErrorMapper<SoldOut> soldOut() {
		return ErrorMapper.of(SoldOut.class,
				(thrown) -> GrpcError.answer(Status.Code.FAILED_PRECONDITION).message("sold out").reason("SOLD_OUT"));
	}

	/** Has an {@link ErrorMapper}. */
	static final class SoldOut extends RuntimeException {

	}

	/** Has a {@link GrpcAdvice}. */
	public static final class Closed extends RuntimeException {

	}

	@GrpcAdvice
	public static class Advice {

		@GrpcExceptionHandler
		public Status closed(Closed closed) {
			return Status.ALREADY_EXISTS.withDescription("closed");
		}

	}

	/** Handles calls and requests. */
	@RestController
	static class Web {

		/** What outlives a restart, as no class of the application does. */
		private static final String LOADERS = "frameworks.class-loaders";

		private final Environment environment;

		@GrpcClient("self")
		private Channel self;

		Web(Calls calls, JdbcTemplate jdbc, Environment environment) {
			this.environment = environment;
			loaders().add(new WeakReference<>(Web.class.getClassLoader()));
			calls.on("budget", () -> Budget.remaining().orElseThrow().toString());
			calls.on("query", () -> jdbc.queryForObject(SLOW, String.class));
			calls.on("publisher", () -> Mono.never().subscribeOn(Schedulers.boundedElastic()).block() + "");
			calls.on("elsewhere",
					() -> Mono.fromCallable(() -> Budget.remaining().orElseThrow().toString())
						.subscribeOn(Schedulers.boundedElastic())
						.block());
			calls.on("mapper", () -> {
				throw new SoldOut();
			});
			calls.on("advice", () -> {
				throw new Closed();
			});
			calls.on("running", () -> calls.running() - 1 + "");
		}

		@SuppressWarnings("unchecked")
		private static List<WeakReference<ClassLoader>> loaders() {
			return (List<WeakReference<ClassLoader>>) System.getProperties()
				.computeIfAbsent(LOADERS, (name) -> new CopyOnWriteArrayList<>());
		}

		@GetMapping("/generation")
		String generation() {
			return this.environment.getRequiredProperty("generation");
		}

		/**
		 * Starts that something of ours holds on to. The first one is held by what was
		 * loaded then, and threads of others, such as those that all channels share, hold
		 * on to whichever began them.
		 */
		@GetMapping("/held")
		List<Integer> held() {
			System.gc();
			Set<ClassLoader> others = ofOthers();
			List<Integer> held = new ArrayList<>();
			for (int start = 1; start < loaders().size(); start++) {
				ClassLoader loader = loaders().get(start).get();
				if (loader != null && !others.contains(loader)) {
					held.add(start);
				}
			}
			return held;
		}

		private static Set<ClassLoader> ofOthers() {
			Set<ClassLoader> others = new HashSet<>();
			for (Thread thread : Thread.getAllStackTraces().keySet()) {
				ClassLoader loader = thread.getName().startsWith("grpc-resilience") ? null
						: thread.getContextClassLoader();
				while (loader != null) {
					others.add(loader);
					loader = loader.getParent();
				}
			}
			return others;
		}

		@GetMapping("/classes")
		String classes() {
			return Web.class.getClassLoader().getClass().getSimpleName() + " "
					+ Budget.class.getClassLoader().getClass().getSimpleName();
		}

		@GetMapping("/call/{request}")
		String call(@PathVariable String request) {
			return ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, request);
		}

	}

}
