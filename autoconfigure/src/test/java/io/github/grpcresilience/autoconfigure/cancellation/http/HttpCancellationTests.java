package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.http.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.autoconfigure.http.client.HttpClientAutoConfiguration;
import org.springframework.boot.autoconfigure.http.client.reactive.ClientHttpConnectorAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestClientAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.function.client.WebClientAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.context.ApplicationContext;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.TestCall;
import io.github.grpcresilience.autoconfigure.cancellation.CallSubscriptionAutoConfiguration;
import io.github.grpcresilience.autoconfigure.properties.InvalidPolicyFailureAnalyzer;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.test.HttpPeer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HttpCancellationTests {

	private static final Logger CONTEXTS = Logger.getLogger("io.grpc.ThreadLocalContextStorage");

	/** Where nobody listens. */
	private static final URI NOBODY = URI.create("http://127.0.0.1:1/any");

	private final Deque<HttpPeer> open = new ArrayDeque<>();

	private final HttpPeer peer = start(HttpPeer.start());

	private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);

	private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(
			AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, HttpClientCancellationAutoConfiguration.class,
					WebClientCancellationAutoConfiguration.class, CallSubscriptionAutoConfiguration.class,
					HttpClientAutoConfiguration.class, HttpMessageConvertersAutoConfiguration.class,
					RestClientAutoConfiguration.class, RestTemplateAutoConfiguration.class,
					ClientHttpConnectorAutoConfiguration.class, WebClientAutoConfiguration.class));

	private HttpPeer start(HttpPeer started) {
		this.open.push(started);
		return started;
	}

	private final Queue<LogRecord> complaints = new ConcurrentLinkedQueue<>();

	/** grpc-java logs a Context that is left in the wrong order, and throws nothing. */
	private final Handler complaining = new Handler() {

		@Override
		public void publish(LogRecord complaint) {
			HttpCancellationTests.this.complaints.add(complaint);
		}

		@Override
		public void flush() {
			// Nothing is kept back.
		}

		@Override
		public void close() {
			// Nothing is open.
		}

	};

	@BeforeEach
	void listen() {
		CONTEXTS.addHandler(this.complaining);
	}

	@AfterEach
	void close() {
		this.timer.shutdownNow();
		this.open.forEach(HttpPeer::close);
		CONTEXTS.removeHandler(this.complaining);
		assertThat(this.complaints).isEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void deadlineEndsTheExchange(Client client) {
		runner(client).run((context) -> {
			client.call(context, this.peer.uri("/warm"));
			for (URI target : targets()) {
				try (TestCall call = TestCall.begin().timingOutAfter(270, TimeUnit.MILLISECONDS, this.timer)) {
					Throwable thrown = run(call, () -> client.call(context, target));
					assertThat(Status.fromThrowable(thrown).getCode()).as("%s", target)
						.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
				}
			}
			// HttpURLConnection reads the rest behind our back, to keep the connection.
			if (client != Client.REST_CLIENT_SIMPLE) {
				ended(context, client);
			}
		});
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REST_CLIENT_SIMPLE")
	void cancellationEndsTheExchange(Client client) {
		runner(client).run((context) -> {
			client.call(context, this.peer.uri("/warm"));
			for (URI target : targets()) {
				try (TestCall call = TestCall.begin()) {
					after(230, () -> call.abandon());
					Throwable thrown = run(call, () -> client.call(context, target));
					assertThat(Status.fromThrowable(thrown).getCode()).as("%s", target)
						.isEqualTo(Status.Code.CANCELLED);
				}
			}
			ended(context, client);
		});
	}

	private List<URI> targets() {
		return List.of(start(HttpPeer.unreachable()).uri("/any"), this.peer.uri("/silent"), this.peer.uri("/stall"),
				this.peer.uri("/trickle"));
	}

	private void ended(ApplicationContext context, Client client) {
		await().untilAsserted(() -> assertThat(this.peer.left()).isEqualTo(this.peer.arrived()));
		assertThat(counts(context, client)).isEqualTo(new Sums(0, 4, 0));
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "WEB_CLIENT")
	void requestsOfAnAbandonedCallAreSentUntilItsGraceIsUsedUp(Client client) {
		runner(client).run((context) -> {
			client.call(context, this.peer.uri("/warm"));
			TestCall call = TestCall.begin();
			call.abandon();
			assertThat(call.<String>call(() -> client.call(context, this.peer.uri("/any")))).isEqualTo("/any");
			call.useUpGrace(Work.HTTP_EXCHANGE);
			Throwable thrown = run(call, () -> client.call(context, this.peer.uri("/any")));
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
			assertThat(this.peer.requests()).hasSize(2);
			assertThat(counts(context, client)).isEqualTo(new Sums(1, 0, 0));
		});
	}

	/** A subscription that begins after the end may be what releases a lock. */
	@Test
	void requestsOfWebClientAreNeverRefused() {
		runner(Client.WEB_CLIENT).run((context) -> {
			TestCall call = TestCall.begin();
			call.abandon();
			for (int i = 0; i < 150; i++) {
				assertThat(call.<String>call(() -> Client.WEB_CLIENT.call(context, this.peer.uri("/any"))))
					.isEqualTo("/any");
			}
		});
	}

	/** Its task may have been meant to go on. */
	@ParameterizedTest
	@EnumSource
	void requestsOfTasksGoOnAfterTheAnswer(Client client) {
		runner(client).run((context) -> {
			TestCall call = TestCall.begin().within(40, TimeUnit.MILLISECONDS);
			after(20, call::answer);
			assertThat(CallScope.ofTask(call.record())
				.<String>call(() -> client.call(context, this.peer.uri("/slow/300")))).isEqualTo("/slow/300");
			assertThat(call.<String>call(() -> client.call(context, this.peer.uri("/slow/300"))))
				.isEqualTo("/slow/300");
		});
	}

	@Test
	void taskOnHttpUrlConnectionStopsWithItsCall() {
		runner(Client.REST_CLIENT_SIMPLE).run((context) -> {
			TestCall call = TestCall.begin();
			after(230, call::abandon);
			Throwable thrown = catchThrowable(() -> CallScope.ofTask(call.record())
				.call(() -> Client.REST_CLIENT_SIMPLE.call(context, this.peer.uri("/silent"))));
			assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
			await().untilAsserted(() -> assertThat(this.peer.left()).isEqualTo(this.peer.arrived()));
		});
	}

	@ParameterizedTest
	@EnumSource
	void exchangesThatEndedStayRegisteredNowhere(Client client) {
		runner(client).run((context) -> {
			TestCall call = TestCall.begin().timingOutAfter(30, TimeUnit.SECONDS, this.timer);
			assertThat(call.call(() -> client.call(context, this.peer.uri("/any")))).isEqualTo("/any");
			assertThat(call.call(() -> client.call(context, this.peer.uri("/empty")))).isNullOrEmpty();
			assertThat(run(call, () -> client.call(context, NOBODY))).isNotInstanceOf(StatusRuntimeException.class)
				.satisfies(
						(thrown) -> assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.UNKNOWN));
			call.abandon();
			assertThat(counts(context, client)).isEqualTo(new Sums(0, 0, 0));
		});
	}

	@ParameterizedTest
	@EnumSource
	void hostsOnTheListAreToldWhatIsLeft(Client client) {
		runner(client).withPropertyValues("grpc.resilience.cancellation.http.budget-hosts=localhost,*.example.com")
			.run((context) -> {
				try (TestCall call = TestCall.begin().timingOutAfter(8, TimeUnit.SECONDS, this.timer)) {
					call.call(() -> client.call(context, this.peer.uri("localhost", "/told")));
					call.call(() -> client.call(context, this.peer.uri("127.0.0.1", "/not-told")));
				}
				client.call(context, this.peer.uri("localhost", "/outside"));
				assertThat(this.peer.requests()).hasSize(3);
				assertThat(budgets(this.peer.requests().get(0))).singleElement().asString().matches("[0-9]{7}u");
				assertThat(budgets(this.peer.requests().get(1))).isEmpty();
				assertThat(budgets(this.peer.requests().get(2))).isEmpty();
			});
	}

	@ParameterizedTest
	@EnumSource
	void observingChangesNothing(Client client) {
		runner(client)
			.withPropertyValues("grpc.resilience.mode=observe",
					"grpc.resilience.cancellation.http.budget-hosts=127.0.0.1")
			.run((context) -> {
				TestCall call = TestCall.begin();
				call.abandon();
				assertThat(call.call(() -> client.call(context, this.peer.uri("/any")))).isEqualTo("/any");
				assertThat(counts(context, client).cancelled()).isZero();
				assertThat(budgets(this.peer.requests().get(0))).isEmpty();
			});
	}

	@Test
	void headerThatTheUserSetStays() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.http.budget-hosts=127.0.0.1").run((context) -> {
			RestClient rest = context.getBean(RestClient.Builder.class).build();
			WebClient web = context.getBean(WebClient.Builder.class).build();
			URI uri = this.peer.uri("/any");
			try (TestCall call = TestCall.begin().timingOutAfter(8, TimeUnit.SECONDS, this.timer)) {
				call.call(() -> rest.get().uri(uri).header("Grpc-Timeout", "7m").retrieve().body(String.class));
				call.call(() -> web.get()
					.uri(uri)
					.header("Grpc-Timeout", "7m")
					.retrieve()
					.bodyToMono(String.class)
					.block());
			}
			assertThat(this.peer.requests()).hasSize(2)
				.allSatisfy((head) -> assertThat(budgets(head)).containsExactly("7m"));
		});
	}

	@Test
	void redirectOfApachesClientTellsNobodyElse() {
		runner(Client.REST_CLIENT_APACHE).withPropertyValues("grpc.resilience.cancellation.http.budget-hosts=localhost")
			.run((context) -> {
				URI elsewhere = this.peer.uri("127.0.0.1", "/elsewhere");
				URI first = this.peer.uri("localhost", "/redirect/" + elsewhere);
				try (TestCall call = TestCall.begin().timingOutAfter(8, TimeUnit.SECONDS, this.timer)) {
					assertThat(call.call(() -> Client.REST_CLIENT_APACHE.call(context, first))).isEqualTo("/elsewhere");
				}
				assertThat(budgets(this.peer.requests().get(0))).hasSize(1);
				assertThat(budgets(this.peer.requests().get(1))).isEmpty();
			});
	}

	@Test
	void requestFactoryOfTheUsersOwnIsCovered() {
		this.runner.run((context) -> {
			RestClient rest = context.getBean(RestClient.Builder.class)
				.requestFactory(new JdkClientHttpRequestFactory())
				.build();
			try (TestCall call = TestCall.begin().timingOutAfter(150, TimeUnit.MILLISECONDS, this.timer)) {
				URI silent = this.peer.uri("/silent");
				Throwable thrown = run(call, () -> rest.get().uri(silent).retrieve().body(String.class));
				assertThat(thrown).isInstanceOf(ResourceAccessException.class);
				assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			}
		});
	}

	@Test
	void responseThatIsClosedUnreadEndsWithTheCall() {
		for (Client client : List.of(Client.REST_CLIENT_JDK, Client.REST_CLIENT_APACHE, Client.REST_CLIENT_REACTOR,
				Client.REST_CLIENT_JETTY)) {
			runner(client).run((context) -> {
				RestClient rest = context.getBean(RestClient.Builder.class).build();
				try (TestCall call = TestCall.begin().timingOutAfter(270, TimeUnit.MILLISECONDS, this.timer)) {
					call.call(() -> rest.get()
						.uri(this.peer.uri("/trickle"))
						.exchange((request, response) -> response.getStatusCode()));
				}
				assertThat(Thread.interrupted()).isFalse();
				await().until(() -> this.peer.left() == this.peer.arrived());
			});
		}
	}

	@ParameterizedTest
	@EnumSource
	void shorterTimeoutOfTheUsersOwnStays(Client client) {
		if (client == Client.WEB_CLIENT) {
			return;
		}
		runner(client).withPropertyValues("spring.http.client.read-timeout=170ms").run((context) -> {
			try (TestCall call = TestCall.begin().timingOutAfter(30, TimeUnit.SECONDS, this.timer)) {
				Throwable thrown = run(call, () -> client.call(context, this.peer.uri("/silent")));
				assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.UNKNOWN);
			}
		});
	}

	@Test
	void nothingIsThereWhenSwitchedOff() {
		this.runner.withPropertyValues("grpc.resilience.cancellation.http.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("grpcResilienceRestClientCustomizer")
				.doesNotHaveBean("grpcResilienceRestTemplateCustomizer")
				.doesNotHaveBean("grpcResilienceWebClientCustomizer")
				.doesNotHaveBean(RequestFactoryPostProcessor.class));
	}

	@Test
	void partsNeedTheirClients() {
		this.runner.withClassLoader(new FilteredClassLoader("org.apache.hc", "org.springframework.web.reactive"))
			.run((context) -> {
				assertThat(context).hasNotFailed()
					.hasBean("grpcResilienceRestClientCustomizer")
					.hasBean("grpcResilienceRestTemplateCustomizer")
					.doesNotHaveBean("grpcResilienceWebClientCustomizer");
				assertThat(Client.REST_CLIENT_JDK.call(context, this.peer.uri("/any"))).isEqualTo("/any");
			});
		this.runner.withClassLoader(new FilteredClassLoader(RestClient.class, RestTemplate.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("grpcResilienceRestClientCustomizer")
				.doesNotHaveBean("grpcResilienceRestTemplateCustomizer")
				.hasBean("grpcResilienceWebClientCustomizer"));
	}

	@Test
	void malformedHostsAndHeadersFailTheStartTogether() {
		this.runner
			.withPropertyValues("grpc.resilience.cancellation.http.budget-header=a header",
					"grpc.resilience.cancellation.http.budget-hosts=api.example.com, ,http://x",
					"grpc.resilience.server.deadline.max=-7s")
			.run((context) -> assertThat(
					new InvalidPolicyFailureAnalyzer().analyze(context.getStartupFailure()).getDescription())
				.startsWith("4 settings of gRPC Resilience are invalid:")
				.contains("Property: grpc.resilience.cancellation.http.budget-header", "Value: \"a header\"",
						"Property: grpc.resilience.cancellation.http.budget-hosts", "Value: \"http://x\"",
						"without scheme, port and path"));
	}

	@Test
	void reserveOfTheClientSectionIsKept() {
		this.runner
			.withPropertyValues("grpc.resilience.cancellation.http.budget-hosts=127.0.0.1",
					"grpc.resilience.cancellation.http.budget-header=X-Envoy-Expected-Rq-Timeout-Ms",
					"grpc.resilience.client.deadline.reserve.fraction=0.5",
					"grpc.resilience.client.deadline.reserve.max=1h")
			.run((context) -> {
				try (TestCall call = TestCall.begin().timingOutAfter(100, TimeUnit.SECONDS, this.timer)) {
					call.call(() -> Client.REST_CLIENT_JDK.call(context, this.peer.uri("/told")));
				}
				String value = this.peer.requests()
					.get(0)
					.stream()
					.filter((line) -> line.toLowerCase(Locale.ROOT).startsWith("x-envoy-expected-rq-timeout-ms:"))
					.findFirst()
					.orElseThrow()
					.replaceAll(".*: *", "");
				assertThat(Long.parseLong(value)).isBetween(30_000L, 50_000L);
			});
	}

	private ApplicationContextRunner runner(Client client) {
		return this.runner.withPropertyValues("spring.http.client.factory=" + client.factory);
	}

	private Throwable run(TestCall call, Runnable work) {
		AtomicReference<Throwable> thrown = new AtomicReference<>();
		long start = System.nanoTime();
		call.run(() -> {
			try {
				work.run();
			}
			catch (Throwable ex) {
				thrown.set(ex);
			}
		});
		assertThat(thrown.get()).isNotNull();
		assertThat(Thread.interrupted()).isFalse();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
		return thrown.get();
	}

	private void after(long millis, Runnable action) {
		ScheduledFuture<?> unused = this.timer.schedule(action, millis, TimeUnit.MILLISECONDS);
	}

	/** What WebClient does is a subscription. */
	private static Sums counts(ApplicationContext context, Client client) {
		return context.getBean(GrpcResilience.class)
			.inspection()
			.stoppedWork()
			.sums((client == Client.WEB_CLIENT) ? Work.SUBSCRIPTION : Work.HTTP_EXCHANGE);
	}

	private static List<String> budgets(List<String> head) {
		return head.stream()
			.filter((line) -> line.toLowerCase(Locale.ROOT).startsWith("grpc-timeout:"))
			.map((line) -> line.substring("grpc-timeout:".length()).strip())
			.toList();
	}

	/**
	 * Clients, and what they are built on.
	 */
	enum Client {

		REST_CLIENT_JDK("jdk"), REST_CLIENT_APACHE("http-components"), REST_CLIENT_REACTOR("reactor"),
		REST_CLIENT_JETTY("jetty"), REST_CLIENT_SIMPLE("simple"), REST_TEMPLATE("jdk") {

			@Override
			String call(ApplicationContext context, URI uri) {
				return context.getBean(RestTemplateBuilder.class).build().getForObject(uri, String.class);
			}

		},
		REST_TEMPLATE_APACHE("http-components") {

			@Override
			String call(ApplicationContext context, URI uri) {
				return REST_TEMPLATE.call(context, uri);
			}

		},
		WEB_CLIENT("jdk") {

			@Override
			String call(ApplicationContext context, URI uri) {
				return context.getBean(WebClient.Builder.class)
					.build()
					.get()
					.uri(uri)
					.retrieve()
					.bodyToMono(String.class)
					.block();
			}

		};

		private final String factory;

		Client(String factory) {
			this.factory = factory;
		}

		String call(ApplicationContext context, URI uri) {
			return context.getBean(RestClient.Builder.class).build().get().uri(uri).retrieve().body(String.class);
		}

	}

}
