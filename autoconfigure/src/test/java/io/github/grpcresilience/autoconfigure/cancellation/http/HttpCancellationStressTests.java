package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import io.grpc.Status;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.http.client.HttpClientAutoConfiguration;
import org.springframework.boot.autoconfigure.http.client.reactive.ClientHttpConnectorAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestClientAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.function.client.WebClientAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.TestCall;
import io.github.grpcresilience.autoconfigure.cancellation.CallSubscriptionAutoConfiguration;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;
import io.github.grpcresilience.test.HttpPeer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class HttpCancellationStressTests {

	private static final int THREADS = 8;

	private static final int REQUESTS = 600;

	private final AtomicInteger cancelled = new AtomicInteger();

	private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withPropertyValues("spring.reactor.netty.shutdown-quiet-period=0s")
		.withConfiguration(AutoConfigurations.of(GrpcResilienceAutoConfiguration.class,
				HttpClientCancellationAutoConfiguration.class, WebClientCancellationAutoConfiguration.class,
				CallSubscriptionAutoConfiguration.class, HttpClientAutoConfiguration.class,
				RestClientAutoConfiguration.class, ClientHttpConnectorAutoConfiguration.class,
				WebClientAutoConfiguration.class));

	/**
	 * Without Jetty's client, which now and then does not answer a request beside others
	 * that are aborted, whoever aborts them.
	 */
	@ParameterizedTest
	@ValueSource(strings = { "jdk", "http-components", "reactor", "web" })
	@Timeout(120)
	void cancellationHitsItsOwnRequestOnly(String kind) {
		ExecutorService callers = Executors.newFixedThreadPool(THREADS);
		this.runner.withPropertyValues("spring.http.client.factory=" + (kind.equals("web") ? "jdk" : kind))
			.run((context) -> {
				try (HttpPeer peer = HttpPeer.start()) {
					Function<URI, String> client = client(kind, context);
					TestCall undisturbed = TestCall.begin();
					List<Future<?>> running = new ArrayList<>();
					for (int i = 0; i < THREADS; i++) {
						int caller = i;
						running.add(callers.submit(() -> call(client, peer, undisturbed, caller)));
					}
					for (Future<?> one : running) {
						one.get();
					}
					GrpcResilience resilience = context.getBean(GrpcResilience.class);
					Sums before = resilience.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE);
					// What were still registered would be stopped now.
					undisturbed.abandon();
					assertThat(resilience.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE)).isEqualTo(before);
					assertThat(this.cancelled).hasPositiveValue();
					await().untilAsserted(() -> assertThat(peer.open()).isLessThanOrEqualTo(2 * THREADS));
				}
				finally {
					callers.shutdownNow();
					this.timer.shutdownNow();
				}
			});
	}

	private Void call(Function<URI, String> client, HttpPeer peer, TestCall undisturbed, int caller) throws Exception {
		Random random = new Random(caller);
		for (int n = 0; n < REQUESTS; n++) {
			String path = "/" + caller + "-" + n;
			if (random.nextBoolean()) {
				assertThat(undisturbed.call(() -> client.apply(peer.uri(path)))).isEqualTo(path);
			}
			else {
				disturbed(client, peer.uri(path), path, random.nextInt(2_000));
			}
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
		}
		return null;
	}

	private void disturbed(Function<URI, String> client, URI uri, String path, int micros) {
		TestCall context = TestCall.begin();
		ScheduledFuture<?> unused = this.timer.schedule(() -> context.abandon(), micros, TimeUnit.MICROSECONDS);
		try {
			assertThat(context.call(() -> client.apply(uri))).isEqualTo(path);
		}
		catch (Exception ex) {
			assertThat(Status.fromThrowable(ex).getCode()).as("%s", ex).isEqualTo(Status.Code.CANCELLED);
			this.cancelled.incrementAndGet();
		}
	}

	private static Function<URI, String> client(String kind, ApplicationContext context) {
		if (kind.equals("web")) {
			WebClient client = context.getBean(WebClient.Builder.class).build();
			return (uri) -> client.get().uri(uri).retrieve().bodyToMono(String.class).block();
		}
		RestClient client = context.getBean(RestClient.Builder.class).build();
		return (uri) -> client.get().uri(uri).retrieve().body(String.class);
	}

}
