package io.github.grpcresilience.internal.stream;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.stream.StreamWriter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What becomes of messages when their reader stops reading, and goes on later.
 */
class OverflowTests {

	private static final int MESSAGES = 201;

	private final ExecutorService executor = Executors.newCachedThreadPool();

	private Watched watched;

	@AfterEach
	void end() {
		this.executor.shutdownNow();
		this.watched.close();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void blockedWriterLosesNothing(boolean isProtected) {
		this.watched = Watched.served(isProtected, (builder) -> builder.messages(7).blockWhenFull());
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		CompletableFuture<Boolean> all = CompletableFuture.supplyAsync(() -> writeAll(writer), this.executor);
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		reader.read(3);
		await().untilAsserted(() -> assertThat(reader.messages()).hasSize(3));
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		assertThat(all).isNotDone();
		Calls.Ended ended = reader.readAll();
		assertThat(all.join()).isTrue();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(numbers(ended)).containsExactlyElementsOf(upTo(0, MESSAGES));
		assertThat(writer.dropped()).isZero();
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void handlerThatWritesInItsCallbackLosesNothing(boolean isProtected) {
		this.watched = Watched.served(isProtected, (builder) -> builder.messages(7), OverflowTests::writeAll,
				(server) -> {
				});
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		await().untilAsserted(() -> assertThat(writer.buffered()).isEqualTo(7));
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		assertThat(numbers(ended)).containsExactlyElementsOf(upTo(0, MESSAGES));
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@Test
	void slowReaderGetsTheLastOfEachKey() {
		this.watched = Watched.served(true,
				(builder) -> builder.messages(7).conflateBy((message) -> Watched.number(message) % 7));
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		int sent = Watched.fill(writer);
		assertThat(writeAll(writer, sent)).isTrue();
		assertThat(writer.buffered()).isEqualTo(7);
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		Map<Integer, Integer> last = new HashMap<>();
		for (int number : numbers(ended)) {
			Integer before = last.put(number % 7, number);
			assertThat(before == null || before < number).as("%s before %s", before, number).isTrue();
		}
		assertThat(last.values()).containsExactlyInAnyOrderElementsOf(upTo(MESSAGES - 7, MESSAGES));
		assertThat(ended.messages()).hasSize(sent + 7);
		assertThat(writer.dropped()).isEqualTo(MESSAGES - sent - 7);
	}

	@Test
	void bufferFullOfOtherKeysFailsTheStream() {
		this.watched = Watched.served(true,
				(builder) -> builder.messages(7).conflateBy((message) -> Watched.number(message)));
		SlowReader reader = this.watched.reader();
		assertThat(writeAll(this.watched.writer())).isFalse();
		assertThat(reader.readAll().errorInfo().getReason()).isEqualTo("SLOW_CONSUMER");
	}

	@Test
	void oldestGiveWayAndAreCounted() {
		this.watched = Watched.served(true, (builder) -> builder.messages(7).dropOldestWhenFull());
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		int sent = Watched.fill(writer);
		assertThat(writeAll(writer, sent)).isTrue();
		assertThat(writer.buffered()).isEqualTo(7);
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.OK);
		List<Integer> numbers = numbers(ended);
		int sentBefore = numbers.size() - 7;
		assertThat(writer.dropped()).isPositive().isEqualTo(MESSAGES - numbers.size());
		assertThat(numbers.subList(0, sentBefore)).containsExactlyElementsOf(upTo(0, sentBefore));
		assertThat(numbers.subList(sentBefore, numbers.size())).containsExactlyElementsOf(upTo(MESSAGES - 7, MESSAGES));
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void readerThatDoesNotKeepUpIsToldSo(boolean isProtected) {
		this.watched = Watched.served(isProtected, (builder) -> builder.messages(7).failWhenFull());
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		assertThat(writeAll(writer)).isFalse();
		assertThat(writer.isOpen()).isFalse();
		assertThat(writer.buffered()).isZero();
		assertThat(writer.bufferedBytes()).isZero();
		Calls.Ended ended = reader.readAll();
		assertThat(ended.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(ended.errorInfo().getReason()).isEqualTo("SLOW_CONSUMER");
		assertThat(ended.errorInfo().getDomain()).isEqualTo("grpc-resilience");
		assertThat(ended.errorInfo().getMetadataMap()).containsEntry("service", "watched");
		assertThat(numbers(ended)).containsExactlyElementsOf(upTo(0, ended.messages().size()));
		await().untilAsserted(() -> assertThat(this.watched.ends()).isOne());
	}

	@Test
	void slowReadersAreCounted() {
		this.watched = Watched.served(true, (builder) -> builder.messages(7).failWhenFull());
		SlowReader reader = this.watched.reader();
		writeAll(this.watched.writer());
		assertThat(reader.readAll().errorInfo().getMetadataMap()).containsEntry("method", "test.v1.Shop/ServerStream");
		assertThat(this.watched.resilience().inspection().servedMethods())
			.anySatisfy((method) -> assertThat(method.counts().byReason()).containsEntry(Reason.SLOW_CONSUMER, 1L));
	}

	@Test
	void bytesAreBounded() {
		this.watched = Watched.served(true,
				(builder) -> builder.messages(10_007).bytes(35_000, String::length).dropOldestWhenFull());
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		for (int i = Watched.fill(writer); i < MESSAGES; i++) {
			assertThat(writer.write(Watched.message(i))).isTrue();
			assertThat(writer.bufferedBytes()).isLessThanOrEqualTo(35_000);
		}
		assertThat(writer.buffered()).isEqualTo(3);
		String larger = "4711:" + "y".repeat(50_000);
		assertThat(writer.write(larger)).isTrue();
		assertThat(writer.buffered()).isOne();
		writer.complete();
		assertThat(reader.readAll().messages()).last().isEqualTo(larger);
	}

	@Test
	void threadsThatWriteAtOnceKeepTheirOrder() {
		this.watched = Watched.served(true, (builder) -> builder.messages(13));
		SlowReader reader = this.watched.reader();
		StreamWriter<String> writer = this.watched.writer();
		reader.read(Integer.MAX_VALUE - 1);
		List<CompletableFuture<Boolean>> threads = IntStream.range(0, 8)
			.mapToObj((thread) -> CompletableFuture.supplyAsync(() -> {
				boolean taken = true;
				for (int i = 0; i < 1_009; i++) {
					taken &= writer.write(i + ":" + thread);
				}
				return taken;
			}, this.executor))
			.toList();
		assertThat(threads).allSatisfy((thread) -> assertThat(thread.orTimeout(60, TimeUnit.SECONDS).join()).isTrue());
		writer.complete();
		Calls.Ended ended = reader.end();
		assertThat(ended.messages()).hasSize(8 * 1_009);
		Map<String, List<Integer>> byThread = new HashMap<>();
		for (String message : ended.messages()) {
			byThread.computeIfAbsent(message.substring(message.indexOf(':')), (thread) -> new ArrayList<>())
				.add(Watched.number(message));
		}
		assertThat(byThread).hasSize(8)
			.allSatisfy((thread, numbers) -> assertThat(numbers).containsExactlyElementsOf(upTo(0, 1_009)));
	}

	private static boolean writeAll(StreamWriter<String> writer) {
		return writeAll(writer, 0);
	}

	private static boolean writeAll(StreamWriter<String> writer, int first) {
		boolean taken = true;
		for (int i = first; i < MESSAGES && taken; i++) {
			taken = writer.write(Watched.message(i));
		}
		writer.complete();
		return taken;
	}

	private static List<Integer> numbers(Calls.Ended ended) {
		return ended.messages().stream().map(Watched::number).toList();
	}

	private static List<Integer> upTo(int first, int end) {
		return IntStream.range(first, end).boxed().toList();
	}

}
