package io.github.grpcresilience.internal.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

import io.grpc.CallOptions;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.stream.StreamWriter;
import io.github.grpcresilience.stream.StreamWriterBuilder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Many streams that end in all ways at any moment, and many readers that do not read.
 */
class StreamStressTests {

	private static final int STREAMS = 400;

	private static final int READERS = 1_000;

	private static final int SEED = 20_261_128;

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private Watched watched;

	@AfterEach
	void end() {
		this.executor.shutdownNow();
		this.watched.close();
	}

	@Test
	void nothingIsLeftOfStreamsThatEndAtAnyMoment() {
		Random random = new Random(SEED);
		this.watched = Watched.served(true,
				(builder) -> anyPolicy(builder.messages(5)).heartbeat(Duration.ofMillis(3), () -> "0:beat"));
		List<SlowReader> readers = new ArrayList<>();
		List<StreamWriter<String>> writers = new ArrayList<>();
		List<CompletableFuture<Void>> threads = new ArrayList<>();
		for (int i = 0; i < STREAMS; i++) {
			if (i % 4 == 0) {
				this.watched.connect();
			}
			SlowReader reader = this.watched
				.reader(random.nextInt(3) == 0 ? Loopback.within(30 + random.nextInt(200)) : CallOptions.DEFAULT);
			readers.add(reader);
			int reads = random.nextBoolean() ? Integer.MAX_VALUE : 1 + random.nextInt(10);
			reader.read(reads);
			if (i % 20 == 19) {
				for (int served = 0; served < 20; served++) {
					takeWriter(200, writers, threads, random);
				}
				LockSupport.parkNanos(random.nextInt(20_000_000));
				for (SlowReader other : readers.subList(i - 19, i + 1)) {
					if (random.nextInt(3) == 0) {
						other.leave();
					}
				}
			}
		}
		readers.forEach((reader) -> {
			if (!reader.hasEnded()) {
				reader.leave();
			}
		});
		Map<Status.Code, Integer> codes = new EnumMap<>(Status.Code.class);
		readers.forEach((reader) -> codes.merge(reader.end().code(), 1, Integer::sum));
		threads.forEach((thread) -> thread.orTimeout(30, TimeUnit.SECONDS).join());
		// Calls that ended on the way to their handler have no writer.
		await().untilAsserted(() -> {
			takeWriter(0, writers, threads, random);
			assertThat(writers).noneMatch(StreamWriter::isOpen);
			assertThat(this.watched.ends()).isEqualTo(writers.size());
		});
		await().untilAsserted(() -> {
			assertThat(this.watched.resilience().inspection().pendingTimeouts()).isZero();
			assertThat(this.watched.resilience().inspection().servedMethods())
				.allSatisfy((method) -> assertThat(method.counts().inFlight()).isZero());
		});
		threads.forEach((thread) -> thread.orTimeout(30, TimeUnit.SECONDS).join());
		assertThat(writers).hasSizeGreaterThan(STREAMS / 2).allSatisfy((writer) -> {
			assertThat(writer.buffered()).isZero();
			assertThat(writer.bufferedBytes()).isZero();
			assertThat(((BoundedWriter<String>) writer).waiting()).isZero();
		});
		Measured.note("stream stress: %d writers, %s".formatted(writers.size(), codes));
		assertThat(codes).containsKeys(Status.Code.OK, Status.Code.CANCELLED);
	}

	private void takeWriter(int waitMillis, List<StreamWriter<String>> writers, List<CompletableFuture<Void>> threads,
			Random random) {
		StreamWriter<String> writer = this.watched.findWriter(waitMillis);
		if (writer == null) {
			return;
		}
		writers.add(writer);
		int count = random.nextInt(60);
		for (int thread = 0; thread < 3; thread++) {
			boolean completes = thread == 0 && random.nextBoolean();
			threads.add(CompletableFuture.runAsync(() -> write(writer, count, completes), this.executor));
		}
	}

	private static void write(StreamWriter<String> writer, int count, boolean completes) {
		boolean taken = true;
		for (int i = 0; i < count && taken; i++) {
			taken = writer.write(Watched.message(i));
			LockSupport.parkNanos(10_000);
		}
		if (completes) {
			writer.complete();
		}
	}

	private static StreamWriterBuilder<String> anyPolicy(StreamWriterBuilder<String> builder) {
		return switch (ThreadLocalRandom.current().nextInt(4)) {
			case 0 -> builder.blockWhenFull();
			case 1 -> builder.dropOldestWhenFull();
			case 2 -> builder.failWhenFull();
			default -> builder.conflateBy((message) -> Watched.number(message) % 4);
		};
	}

	@Test
	void readersThatDoNotReadHoldNoMoreThanTheBounds() {
		this.watched = Watched.served(true,
				(builder) -> builder.messages(16).bytes(64_000, String::length).dropOldestWhenFull());
		List<SlowReader> readers = new ArrayList<>();
		List<StreamWriter<String>> writers = new ArrayList<>();
		for (int i = 0; i < READERS; i++) {
			readers.add(this.watched.reader());
			writers.add(this.watched.writer());
		}
		long largest = 0;
		for (int i = 0; i < 30; i++) {
			String message = Watched.message(i);
			for (StreamWriter<String> writer : writers) {
				assertThat(writer.write(message)).isTrue();
			}
			largest = Math.max(largest, writers.stream().mapToLong(StreamWriter::bufferedBytes).sum());
		}
		assertThat(writers).allSatisfy((writer) -> {
			assertThat(writer.buffered()).isBetween(1, 6);
			assertThat(writer.bufferedBytes()).isLessThanOrEqualTo(64_000);
		});
		long dropped = writers.stream().flatMapToLong((writer) -> LongStream.of(writer.dropped())).sum();
		Measured.note(
				"%d slow readers: at most %d bytes buffered, %d messages dropped".formatted(READERS, largest, dropped));
		assertThat(largest).isPositive().isLessThanOrEqualTo(64_000L * READERS);
		assertThat(dropped).isPositive();
		readers.forEach(SlowReader::leave);
		await().untilAsserted(() -> assertThat(this.watched.ends()).isEqualTo(READERS));
		assertThat(writers).allSatisfy((writer) -> assertThat(writer.bufferedBytes()).isZero());
	}

}
