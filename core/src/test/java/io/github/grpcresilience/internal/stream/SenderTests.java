package io.github.grpcresilience.internal.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

import com.google.protobuf.StringValue;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.stream.StreamWriter;
import io.github.grpcresilience.stream.StreamWriterBuilder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * Who sends what is buffered, and what goes wrong there.
 */
class SenderTests {

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private final FakeTime time = new FakeTime();

	private final ScriptedObserver call = new ScriptedObserver();

	private final AtomicInteger ends = new AtomicInteger();

	@AfterEach
	void end() {
		this.executor.shutdownNow();
	}

	private StreamWriterBuilder<String> builder() {
		return new StreamWriterBuilder<>(new Streams("test", this.time, this.time, Runnable::run), this.call)
			.onEnd(this.ends::incrementAndGet);
	}

	@ParameterizedTest
	@EnumSource(Overflow.class)
	void readyReaderLosesNothingHoweverManyWrite(Overflow overflow) {
		this.call.onNext((message) -> LockSupport.parkNanos(1_000));
		StreamWriterBuilder<String> builder = builder().messages(3);
		StreamWriter<String> writer = switch (overflow) {
			case BLOCK -> builder.blockWhenFull().open();
			case DROP_OLDEST -> builder.dropOldestWhenFull().open();
			case FAIL -> builder.failWhenFull().open();
		};
		List<CompletableFuture<Void>> threads = new ArrayList<>();
		for (int thread = 0; thread < 8; thread++) {
			threads.add(CompletableFuture.runAsync(() -> {
				for (int i = 0; i < 503; i++) {
					assertThat(writer.write("message")).isTrue();
				}
			}, this.executor));
		}
		threads.forEach((thread) -> thread.orTimeout(60, TimeUnit.SECONDS).join());
		writer.complete();
		await().untilAsserted(() -> assertThat(this.call.sent()).hasSize(8 * 503 + 1));
		assertThat(this.call.sent()).last().isEqualTo("completed");
		assertThat(writer.dropped()).isZero();
		assertThat(this.call.wasShared()).isFalse();
	}

	@Test
	void threadDoesNotSendForOthersForEver() {
		AtomicReference<Thread> first = new AtomicReference<>();
		CountDownLatch sends = new CountDownLatch(1);
		CountDownLatch back = new CountDownLatch(1);
		BoundedWriter<String> writer = (BoundedWriter<String>) builder().messages(3).open();
		this.call.onNext((message) -> {
			// While this thread sends, there is always more to send.
			while (Thread.currentThread() == first.get() && (writer.waiting() == 0 || writer.buffered() < 3)) {
				sends.countDown();
				LockSupport.parkNanos(1_000);
			}
		});
		CompletableFuture<Boolean> taken = CompletableFuture.supplyAsync(() -> {
			first.set(Thread.currentThread());
			return writer.write("first");
		}, this.executor);
		await().untilAsserted(() -> assertThat(sends.getCount()).isZero());
		for (int thread = 0; thread < 5; thread++) {
			this.executor.execute(() -> {
				while (back.getCount() > 0 && writer.write("others")) {
					// Until the first one is back.
				}
			});
		}
		assertThat(taken.orTimeout(20, TimeUnit.SECONDS).join()).isTrue();
		back.countDown();
	}

	@Test
	void messageThatCannotBeSentFailsTheStream() {
		this.call.onNext((message) -> {
			if (message.equals("bad")) {
				throw new IllegalStateException("no such text");
			}
		});
		StreamWriter<String> writer = builder().open();
		writer.write("good");
		writer.write("bad");
		assertThat(writer.write("late")).isFalse();
		assertThat(this.call.sent()).containsExactly("good", "error no such text");
		assertThat(this.ends).hasValue(1);
	}

	@Test
	void threadThatSendsDoesNotWaitForItself() {
		AtomicReference<StreamWriter<String>> writer = new AtomicReference<>();
		this.call.onNext((message) -> {
			if (message.equals("outer")) {
				writer.get().write("inner");
				assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> writer.get().write("too much"))
					.withMessageContaining("wait for itself");
			}
		});
		writer.set(builder().messages(1).open());
		writer.get().write("outer");
		assertThat(this.call.sent()).containsExactly("outer", "inner");
	}

	@Test
	void endIsToldOnce() {
		StreamWriter<String> writer = builder().open();
		writer.complete();
		writer.complete();
		this.call.cancel();
		assertThat(this.ends).hasValue(1);
		assertThat(this.call.sent()).containsExactly("completed");
	}

	@Test
	void nothingIsSentAfterTheEnd() {
		StreamWriter<String> writer = builder().open();
		this.call.stall();
		writer.write("a");
		this.call.cancel();
		this.call.resume();
		writer.complete();
		assertThat(this.call.sent()).isEmpty();
	}

	@Test
	void protobufIsMeasuredByItself() {
		WriterOptions<StringValue> options = WriterOptions.defaults();
		assertThat(options.measure(StringValue.of("12345")).bytes()).isEqualTo(7);
		assertThat(options.withSize((message) -> Long.MAX_VALUE).measure(StringValue.of("1")).bytes())
			.isEqualTo(Integer.MAX_VALUE);
		assertThatIllegalArgumentException()
			.isThrownBy(() -> options.withSize((message) -> -1).measure(StringValue.of("1")));
	}

	@Test
	void boundsArePositive() {
		assertThatIllegalArgumentException().isThrownBy(() -> builder().messages(0))
			.withMessage("messages must be 1 or more, not 0");
		assertThatIllegalArgumentException().isThrownBy(() -> builder().bytes(0))
			.withMessage("bytes must be 1 or more, not 0");
	}

	@Test
	void observerIsThatOfACall() {
		StreamObserver<String> other = new StreamObserver<>() {

			@Override
			public void onNext(String value) {
				// Never called.
			}

			@Override
			public void onError(Throwable thrown) {
				// Never called.
			}

			@Override
			public void onCompleted() {
				// Never called.
			}

		};
		Streams streams = new Streams("test", this.time, this.time, Runnable::run);
		assertThatIllegalArgumentException().isThrownBy(() -> new StreamWriterBuilder<>(streams, other))
			.withMessageContaining("ServerCallStreamObserver");
	}

	@Test
	void timePassesWithoutHeartbeats() {
		builder().open();
		this.time.pass(Duration.ofHours(1));
		assertThat(this.call.sent()).isEmpty();
	}

}
