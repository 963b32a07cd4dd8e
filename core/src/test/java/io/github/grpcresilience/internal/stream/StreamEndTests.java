package io.github.grpcresilience.internal.stream;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.IntStream;

import io.grpc.ServerBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.stream.StreamWriter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What becomes of what is buffered, and of threads that write, when a stream ends.
 */
class StreamEndTests {

	private static final int WRITERS = 8;

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private Watched watched;

	@AfterEach
	void end() {
		this.executor.shutdownNow();
		this.watched.close();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void callerThatLeavesWakesAllThatWait(boolean isProtected) {
		this.watched = served(isProtected);
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		List<CompletableFuture<Boolean>> blocked = block(writer);
		reader.leave();
		assertThat(blocked).allSatisfy((thread) -> assertThat(join(thread)).isFalse());
		assertThat(writer.isOpen()).isFalse();
		assertThat(writer.buffered()).isZero();
		assertThat(writer.write("late")).isFalse();
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void deadlineWakesAllThatWait(boolean isProtected) {
		this.watched = served(isProtected);
		SlowReader reader = this.watched.reader(Loopback.within(2_070));
		StreamWriter<String> writer = this.watched.writer();
		List<CompletableFuture<Boolean>> blocked = block(writer);
		assertThat(blocked).allSatisfy((thread) -> assertThat(join(thread)).isFalse());
		assertThat(reader.end().code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		await().untilAsserted(() -> assertThat(writer.isOpen()).isFalse());
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void callerThatLeavesWakesAHandlerInItsCallback(boolean isProtected) {
		CompletableFuture<Boolean> handler = new CompletableFuture<>();
		this.watched = served(isProtected, (writer) -> handler.complete(writeUntilRefused(writer)), (server) -> {
		});
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		assertThat(handler).isNotDone();
		reader.leave();
		assertThat(join(handler)).isFalse();
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void deadlineWakesAHandlerInItsCallback(boolean isProtected) {
		CompletableFuture<Boolean> handler = new CompletableFuture<>();
		this.watched = served(isProtected, (writer) -> handler.complete(writeUntilRefused(writer)), (server) -> {
		});
		SlowReader reader = this.watched.reader(Loopback.within(370));
		assertThat(join(handler)).isFalse();
		assertThat(reader.end().code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@Test
	void whatIsBufferedIsSentBeforeTheEnd() {
		this.watched = served(true);
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		int sent = Watched.fill(writer);
		for (int i = 0; i < 7; i++) {
			assertThat(writer.write(Watched.message(sent + i))).isTrue();
		}
		writer.complete();
		assertThat(writer.isOpen()).isFalse();
		assertThat(writer.write("late")).isFalse();
		writer.fail(Status.DATA_LOSS.asRuntimeException());
		assertThat(writer.buffered()).isEqualTo(7);
		assertThat(this.watched.ends()).isZero();
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(ended.messages()).extracting(Watched::number)
			.containsExactlyElementsOf(IntStream.range(0, sent + 7).boxed().toList());
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@Test
	void whatIsBufferedIsSentBeforeAnError() {
		this.watched = served(true);
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		int sent = Watched.fill(writer);
		writer.write(Watched.message(sent));
		writer.fail(GrpcError.of(Status.Code.ABORTED).reason("FEED_MOVED").domain("shop"));
		writer.complete();
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.ABORTED);
		assertThat(ended.errorInfo().getReason()).isEqualTo("FEED_MOVED");
		assertThat(ended.messages()).hasSize(sent + 1);
	}

	@Test
	void completingWakesAllThatWait() {
		this.watched = served(true);
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		List<CompletableFuture<Boolean>> blocked = block(writer);
		writer.complete();
		assertThat(blocked).allSatisfy((thread) -> assertThat(join(thread)).isFalse());
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(ended.messages()).hasSize(17);
	}

	@Test
	void serverThatGoesAwayWakesAllThatWait() {
		this.watched = served(true);
		this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		List<CompletableFuture<Boolean>> blocked = block(writer);
		CompletableFuture<Void> down = CompletableFuture.runAsync(this.watched::shutDown, this.executor);
		assertThat(blocked).allSatisfy((thread) -> assertThat(join(thread)).isFalse());
		assertThat(writer.isOpen()).isFalse();
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
		down.orTimeout(20, TimeUnit.SECONDS).join();
	}

	@Test
	void callerThatLeavesAfterCompletionEndsTheStream() {
		this.watched = served(true);
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		writer.write(Watched.message(Watched.fill(writer)));
		writer.complete();
		reader.leave();
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
		assertThat(writer.buffered()).isZero();
	}

	@Test
	void interruptedThreadIsTold() throws InterruptedException {
		this.watched = served(true);
		this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		AtomicReference<Throwable> thrown = new AtomicReference<>();
		AtomicReference<Boolean> flag = new AtomicReference<>();
		Thread thread = new Thread(() -> {
			try {
				writeUntilRefused(writer);
			}
			catch (StatusRuntimeException ex) {
				thrown.set(ex);
				flag.set(Thread.currentThread().isInterrupted());
			}
		});
		thread.start();
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		thread.interrupt();
		thread.join(20_000);
		assertThat(Status.fromThrowable(thrown.get()).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(flag.get()).isTrue();
		assertThat(writer.isOpen()).isTrue();
	}

	@Test
	void eventLoopIsNotBlocked() {
		AtomicReference<Throwable> thrown = new AtomicReference<>();
		this.watched = served(false, (writer) -> {
			try {
				writeUntilRefused(writer);
			}
			catch (IllegalStateException ex) {
				thrown.set(ex);
				writer.complete();
			}
		}, ServerBuilder::directExecutor);
		assertThat(this.watched.reader().readAll().code()).isEqualTo(Status.Code.OK);
		assertThat(thrown.get()).hasMessageContaining("its connection stands still");
	}

	@Test
	void handlerThatGoesOnAfterTheEndIsStopped() {
		CompletableFuture<Throwable> stopped = new CompletableFuture<>();
		this.watched = served(true, (writer) -> {
			try {
				while (true) {
					writer.write(Watched.LARGE);
				}
			}
			catch (StatusRuntimeException ex) {
				stopped.complete(ex);
				throw ex;
			}
		}, (server) -> {
		});
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		reader.leave();
		assertThat(Status.fromThrowable(stopped.orTimeout(20, TimeUnit.SECONDS).join()).getCode())
			.isEqualTo(Status.Code.CANCELLED);
	}

	private static Watched served(boolean isProtected) {
		return served(isProtected, (writer) -> {
		}, (server) -> {
		});
	}

	private static Watched served(boolean isProtected, Consumer<StreamWriter<String>> handler,
			Consumer<ServerBuilder<?>> customizer) {
		return Watched.served(isProtected, (builder) -> builder.messages(7).blockWhenFull(), handler, customizer);
	}

	/** Threads that wait for room. */
	private List<CompletableFuture<Boolean>> block(StreamWriter<String> writer) {
		Watched.fill(writer);
		for (int i = 0; i < 7; i++) {
			writer.write(Watched.LARGE);
		}
		List<CompletableFuture<Boolean>> blocked = IntStream.range(0, WRITERS)
			.mapToObj((thread) -> CompletableFuture.supplyAsync(() -> writer.write(Watched.LARGE), this.executor))
			.toList();
		await().untilAsserted(() -> assertThat(((BoundedWriter<String>) writer).waiting()).isPositive());
		assertThat(blocked).noneMatch(CompletableFuture::isDone);
		return blocked;
	}

	private static boolean writeUntilRefused(StreamWriter<String> writer) {
		boolean taken = true;
		while (taken) {
			taken = writer.write(Watched.LARGE);
		}
		return false;
	}

	private static boolean join(CompletableFuture<Boolean> thread) {
		return thread.orTimeout(30, TimeUnit.SECONDS).join();
	}

}
