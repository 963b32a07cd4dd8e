package io.github.grpcresilience.internal.stream;

import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.stream.StreamWriter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What docs/streams.md shows.
 */
class StreamExampleTests {

	private final Loopback loopback = new Loopback();

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final Set<String> subscribers = ConcurrentHashMap.newKeySet();

	@AfterEach
	void end() {
		this.loopback.close();
	}

	@Test
	void pricesAreStreamed() {
		Shop shop = new Shop().serverStream((subscriber, observer) -> watch(this.resilience, this.subscribers,
				subscriber, observer, List.of("1.07", "1.05").iterator()));
		Calls.Ended ended = Calls.run(this.loopback.plainChannel(this.loopback.serve(this.resilience, shop)),
				Shop.SERVER_STREAM, CallOptions.DEFAULT);
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(ended.messages()).containsExactly("1.07", "1.05");
		await().untilAsserted(() -> assertThat(this.subscribers).isEmpty());
	}

	private static void watch(GrpcResilience resilience, Set<String> subscribers, String subscriber,
			StreamObserver<String> observer, Iterator<String> feed) {
		subscribers.add(subscriber);
		StreamWriter<String> prices = resilience.writer(observer)
			.messages(64)
			.heartbeat(Duration.ofSeconds(10), () -> "")
			.onEnd(() -> subscribers.remove(subscriber))
			.open();
		while (feed.hasNext() && prices.write(feed.next())) {
			// the writer says when it is enough
		}
		prices.complete();
	}

}
