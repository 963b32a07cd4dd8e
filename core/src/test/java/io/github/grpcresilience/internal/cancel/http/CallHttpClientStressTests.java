package io.github.grpcresilience.internal.cancel.http;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;
import io.github.grpcresilience.test.HttpPeer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class CallHttpClientStressTests {

	private static final int THREADS = 8;

	private static final int REQUESTS = 600;

	private final AtomicInteger answered = new AtomicInteger();

	private final AtomicInteger cancelled = new AtomicInteger();

	@Test
	@Timeout(120)
	void cancellationHitsItsOwnRequestOnly() throws Exception {
		ExecutorService callers = Executors.newFixedThreadPool(THREADS);
		ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
		try (HttpPeer peer = HttpPeer.start(); GrpcResilience resilience = GrpcResilience.builder().build()) {
			HttpClient client = resilience.work().httpClient(HttpClient.newHttpClient());
			TestCall undisturbed = TestCall.begin();
			List<Future<?>> running = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				Random random = new Random(i);
				String caller = "/" + i + "-";
				running.add(callers.submit(() -> {
					for (int n = 0; n < REQUESTS; n++) {
						String path = caller + n;
						Callable<String> request = (n % 2 == 0) ? () -> text(client, peer, path)
								: () -> stream(client, peer, path);
						if (random.nextBoolean()) {
							assertThat(undisturbed.call(request)).isEqualTo(path);
						}
						else {
							disturbed(request, path, random.nextInt(1_500), timer);
						}
						assertThat(Thread.currentThread().isInterrupted()).isFalse();
					}
					return null;
				}));
			}
			for (Future<?> one : running) {
				one.get();
			}
			// What were still registered would be stopped now.
			await().until(() -> resilience.inspection().pendingTimeouts() == 0);
			Sums before = resilience.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE);
			undisturbed.abandon();
			assertThat(resilience.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE)).isEqualTo(before);
			await().untilAsserted(() -> assertThat(peer.open()).isLessThanOrEqualTo(2 * THREADS));
			assertThat(this.cancelled).hasPositiveValue();
			assertThat(this.answered).hasPositiveValue();
		}
		finally {
			callers.shutdownNow();
			timer.shutdownNow();
		}
	}

	private void disturbed(Callable<String> request, String path, int micros, ScheduledExecutorService timer) {
		TestCall context = TestCall.begin();
		ScheduledFuture<?> unused = timer.schedule(() -> context.abandon(), micros, TimeUnit.MICROSECONDS);
		try {
			assertThat(context.call(request)).isEqualTo(path);
			this.answered.incrementAndGet();
		}
		catch (Exception ex) {
			assertThat(Status.fromThrowable(ex).getCode()).as("%s", ex).isEqualTo(Status.Code.CANCELLED);
			this.cancelled.incrementAndGet();
		}
	}

	private static String text(HttpClient client, HttpPeer peer, String path) throws Exception {
		return client.send(HttpRequest.newBuilder(peer.uri(path)).build(), BodyHandlers.ofString()).body();
	}

	private static String stream(HttpClient client, HttpPeer peer, String path) throws Exception {
		return new String(client.send(HttpRequest.newBuilder(peer.uri(path)).build(), BodyHandlers.ofInputStream())
			.body()
			.readAllBytes(), StandardCharsets.ISO_8859_1);
	}

}
