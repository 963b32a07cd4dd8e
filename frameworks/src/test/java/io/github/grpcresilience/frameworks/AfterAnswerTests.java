package io.github.grpcresilience.frameworks;

import java.sql.Connection;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import javax.sql.DataSource;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.http.client.HttpClientAutoConfiguration;
import org.springframework.boot.autoconfigure.http.client.reactive.ClientHttpConnectorAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestClientAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.function.client.WebClientAutoConfiguration;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.EventListener;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

import io.github.grpcresilience.Budget;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a call or a request begins and does not wait for: after the answer it is nobody's
 * business any more, whatever time the call had left.
 */
class AfterAnswerTests {

	private static final long BUDGET_MILLIS = 400;

	private static Database database;

	private static HttpPeer peer;

	private static App app;

	@BeforeAll
	static void start() throws Exception {
		database = Database.create();
		peer = HttpPeer.start();
		app = App.of(Shop.class)
			.mvc()
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
					TaskExecutionAutoConfiguration.class, HttpClientAutoConfiguration.class,
					RestClientAutoConfiguration.class, ClientHttpConnectorAutoConfiguration.class,
					WebClientAutoConfiguration.class)
			.with(database.properties())
			.with("spring.datasource.hikari.maximum-pool-size=3", "spring.http.client.factory=simple",
					"peer=" + peer.url())
			.start();
		Orders orders = app.bean(Orders.class);
		app.on("mail", () -> {
			TimeUnit.MILLISECONDS.sleep(orders.current().millis());
			return "mailed";
		});
		app.on("order", orders::take);
		app.on("order first", () -> "taken");
		app.afterwards("order first", orders::take);
		for (Door door : Door.values()) {
			Order order = orders.begin(Way.ASYNC, Errand.values());
			order.passed.countDown();
			door.order();
			order.results();
		}
	}

	@AfterAll
	static void stop() {
		app.close();
		peer.close();
	}

	static Stream<Arguments> doorsAndWays() {
		return Stream.of(Door.values()).flatMap((door) -> door.ways().map((way) -> Arguments.of(door, way)));
	}

	@ParameterizedTest
	@MethodSource("doorsAndWays")
	void whatIsBegunWhenTheOldDeadlineHasPassedKnowsNothingOfIt(Door door, Way way) throws Exception {
		Order order = app.bean(Orders.class).begin(way, Errand.values());
		door.order();
		TimeUnit.MILLISECONDS.sleep(BUDGET_MILLIS + 50);
		order.passed.countDown();
		assertAllDone(order);
	}

	/**
	 * What belongs to its call until that is answered, and is sent before, keeps the
	 * deadline that it has announced.
	 */
	@ParameterizedTest
	@MethodSource("doorsAndWays")
	void whatIsRunningWhenTheOldDeadlinePassesGoesOn(Door door, Way way) throws Exception {
		Errand[] errands = (way == Way.ASYNC || way == Way.ASYNC_LISTENER) ? Errand.values()
				: new Errand[] { Errand.SQL, Errand.REST_CLIENT_OF_THE_JDK, Errand.REST_CLIENT_OF_HTTP_URL_CONNECTION,
						Errand.WEB_CLIENT };
		Order order = app.bean(Orders.class).begin(way, errands).slow();
		door.order();
		assertAllDone(order);
	}

	private static void assertAllDone(Order order) throws Exception {
		Map<Errand, String> expected = new EnumMap<>(Errand.class);
		order.errands.keySet().forEach((errand) -> expected.put(errand, errand.result));
		assertThat(order.results()).containsExactlyInAnyOrderEntriesOf(expected);
	}

	/**
	 * The pool has nothing to lend before the old deadline has passed.
	 */
	@ParameterizedTest
	@EnumSource
	void connectionIsWaitedForAfterTheAnswer(Door door) throws Exception {
		DataSource pool = app.bean(DataSource.class);
		Order order = app.bean(Orders.class).begin(Way.ASYNC, Errand.SQL).slow();
		try (Connection first = pool.getConnection();
				Connection second = pool.getConnection();
				Connection third = pool.getConnection()) {
			door.order();
			TimeUnit.MILLISECONDS.sleep(BUDGET_MILLIS + 50);
			assertThat(List.of(first, second, third)).doesNotHaveDuplicates();
		}
		assertThat(order.results()).containsExactlyEntriesOf(Map.of(Errand.SQL, "stored"));
	}

	/** How an order comes in. */
	enum Door {

		GRPC {

			@Override
			void order() {
				String request = (app.bean(Orders.class).current().way == Way.HANDLER) ? "order first" : "order";
				assertThat(app.call(request, BUDGET_MILLIS)).isEqualTo("taken");
			}

		},

		HTTP {

			@Override
			Stream<Way> ways() {
				return Stream.of(Way.ASYNC, Way.ASYNC_FUTURE, Way.ASYNC_LISTENER);
			}

			@Override
			void order() {
				assertThat(app.get("/order", BUDGET_MILLIS).statusCode()).isEqualTo(202);
			}

		};

		Stream<Way> ways() {
			return Stream.of(Way.values());
		}

		abstract void order();

	}

	/** Who runs the errands. */
	enum Way {

		/** A method of which nobody wants anything back. */
		ASYNC,

		/** A method whose future nobody looks at: until the answer it is the call's. */
		ASYNC_FUTURE,

		/** A listener of an event. */
		ASYNC_LISTENER,

		/** The handler itself, when it has answered. */
		HANDLER

	}

	/** What is done for an order, later. */
	enum Errand {

		STUB("mailed"), SQL("stored"), REST_CLIENT_OF_THE_JDK("answer"), REST_CLIENT_OF_HTTP_URL_CONNECTION("answer"),
		WEB_CLIENT("answer"), BUDGET("none");

		private final String result;

		Errand(String result) {
			this.result = result;
		}

	}

	/** An order, and what became of its errands. */
	static final class Order {

		private final Way way;

		private final Map<Errand, CompletableFuture<String>> errands = new EnumMap<>(Errand.class);

		private final CountDownLatch passed = new CountDownLatch(1);

		private volatile boolean slow;

		Order(Way way, Errand... errands) {
			this.way = way;
			for (Errand errand : errands) {
				this.errands.put(errand, new CompletableFuture<>());
			}
		}

		/** Its errands begin at once, and take longer than the call would have had. */
		private Order slow() {
			this.slow = true;
			this.passed.countDown();
			return this;
		}

		private long millis() {
			return this.slow ? BUDGET_MILLIS + 200 : 20;
		}

		private void run(Errand errand, Callable<String> work) {
			CompletableFuture<String> result = this.errands.get(errand);
			try {
				assertThat(this.passed.await(20, TimeUnit.SECONDS)).isTrue();
				result.complete(work.call());
			}
			catch (Throwable ex) {
				result.complete(String.valueOf(ex));
			}
		}

		private Map<Errand, String> results() throws Exception {
			Map<Errand, String> results = new EnumMap<>(Errand.class);
			for (Map.Entry<Errand, CompletableFuture<String>> errand : this.errands.entrySet()) {
				results.put(errand.getKey(), errand.getValue().get(20, TimeUnit.SECONDS));
			}
			return results;
		}

	}

	/** Takes an order, and has its errands run. */
	static class Orders {

		private final Errands errands;

		private final ApplicationEventPublisher events;

		private volatile Order current;

		Orders(Errands errands, ApplicationEventPublisher events) {
			this.errands = errands;
			this.events = events;
		}

		Order begin(Way way, Errand... errands) {
			this.current = new Order(way, errands);
			return this.current;
		}

		Order current() {
			return this.current;
		}

		String take() {
			Order order = this.current;
			order.errands.keySet().forEach((errand) -> {
				switch (order.way) {
					case ASYNC -> this.errands.later(order, errand);
					case ASYNC_FUTURE -> {
						Future<Void> unused = this.errands.laterAsFuture(order, errand);
					}
					case ASYNC_LISTENER -> this.events.publishEvent(new Wanted(order, errand));
					case HANDLER -> this.errands.now(order, errand);
				}
			});
			return "taken";
		}

	}

	/** Runs errands. */
	static class Errands {

		private final JdbcTemplate jdbc;

		private final RestClient jdk;

		private final RestClient simple;

		private final WebClient reactive;

		@GrpcClient("self")
		private Channel self;

		Errands(JdbcTemplate jdbc, RestClient.Builder rest, WebClient.Builder reactive) {
			this.jdbc = jdbc;
			this.simple = rest.clone().baseUrl(peer.url()).build();
			this.jdk = rest.clone().requestFactory(new JdkClientHttpRequestFactory()).baseUrl(peer.url()).build();
			this.reactive = reactive.baseUrl(peer.url()).build();
		}

		@Async
		void later(Order order, Errand errand) {
			now(order, errand);
		}

		@Async
		@EventListener
		void wanted(Wanted event) {
			now(event.order(), event.errand());
		}

		@Async
		CompletableFuture<Void> laterAsFuture(Order order, Errand errand) {
			now(order, errand);
			return CompletableFuture.completedFuture(null);
		}

		void now(Order order, Errand errand) {
			order.run(errand, () -> run(errand, order.millis()));
		}

		private String run(Errand errand, long millis) {
			return switch (errand) {
				case STUB -> ClientCalls.blockingUnaryCall(this.self, Calls.DO, CallOptions.DEFAULT, "mail");
				case SQL ->
					this.jdbc.queryForObject("select 'stored' from pg_sleep(?)", String.class, millis / 1_000.0);
				case REST_CLIENT_OF_THE_JDK -> get(this.jdk, millis);
				case REST_CLIENT_OF_HTTP_URL_CONNECTION -> get(this.simple, millis);
				case WEB_CLIENT -> this.reactive.get()
					.uri("/" + millis)
					.retrieve()
					.bodyToMono(String.class)
					.block(Duration.ofSeconds(20))
					.substring(0, 6);
				case BUDGET -> Budget.remaining().map(String::valueOf).orElse("none");
			};
		}

		private static String get(RestClient http, long millis) {
			return http.get().uri("/" + millis).retrieve().body(String.class).substring(0, 6);
		}

	}

	/** Says that an errand is wanted. */
	record Wanted(Order order, Errand errand) {

	}

	/** Takes orders over HTTP. */
	@RestController
	static class Web {

		private final Orders orders;

		Web(Orders orders) {
			this.orders = orders;
		}

		@GetMapping("/order")
		ResponseEntity<String> order() {
			return ResponseEntity.accepted().body(this.orders.take());
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@Import({ Orders.class, Errands.class, Web.class })
	static class Shop {

	}

}
