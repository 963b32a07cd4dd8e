package io.github.grpcresilience.internal.call;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Status;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class CallOverTests {

	private final List<String> told = new ArrayList<>();

	@Test
	void isOverWhenTheStreamEndsBetweenCallbacks() {
		CallOver over = begin(true);
		over.inCallback(false);
		assertThat(this.told).isEmpty();
		over.streamEnded(Status.Code.CANCELLED, 7);
		assertThat(this.told).containsExactly("CANCELLED after 7");
	}

	@Test
	void isNotOverWhileTheHandlerStillWorks() {
		CallOver over = begin(true);
		over.streamEnded(Status.Code.DEADLINE_EXCEEDED, 33);
		assertThat(this.told).isEmpty();
		over.inCallback(false);
		assertThat(this.told).containsExactly("DEADLINE_EXCEEDED after 33");
	}

	@Test
	void isOverOnceWhateverComesLater() {
		CallOver over = begin(false);
		over.streamEnded(Status.Code.OK, 7);
		over.streamEnded(Status.Code.OK, 7);
		over.inCallback(true);
		over.inCallback(false);
		assertThat(this.told).containsExactly("OK after 7");
	}

	@Test
	void isOverOnceWhenAllComesAtOnce() throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(2);
		CyclicBarrier barrier = new CyclicBarrier(2);
		try {
			for (int i = 0; i < 20_000; i++) {
				AtomicInteger times = new AtomicInteger();
				CallOver over = new CallOver((code, elapsed) -> times.incrementAndGet(), true);
				Future<?> transport = threads.submit(() -> {
					barrier.await(10, TimeUnit.SECONDS);
					over.streamEnded(Status.Code.OK, 1);
					return null;
				});
				Future<?> handler = threads.submit(() -> {
					barrier.await(10, TimeUnit.SECONDS);
					over.inCallback(false);
					return null;
				});
				transport.get(10, TimeUnit.SECONDS);
				handler.get(10, TimeUnit.SECONDS);
				assertThat(times).hasValue(1);
			}
		}
		finally {
			threads.shutdownNow();
		}
	}

	private CallOver begin(boolean running) {
		return new CallOver((code, elapsed) -> this.told.add(code + " after " + elapsed), running);
	}

}
