package io.github.grpcresilience.internal.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.stream.StreamWriter;
import io.github.grpcresilience.stream.StreamWriterBuilder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * When heartbeats are sent. They are due after 900 to 1,100 ms.
 */
class HeartbeatTests {

	private final FakeTime time = new FakeTime();

	private final ScriptedObserver call = new ScriptedObserver();

	private final AtomicInteger beats = new AtomicInteger();

	private final StreamWriter<String> writer = builder()
		.heartbeat(Duration.ofSeconds(1), () -> "beat " + this.beats.incrementAndGet())
		.open();

	private StreamWriterBuilder<String> builder() {
		return new StreamWriterBuilder<>(new Streams("test", this.time, this.time, Runnable::run), this.call);
	}

	@Test
	void comesWhenNothingElseDoes() {
		this.time.pass(Duration.ofMillis(899));
		assertThat(this.call.sent()).isEmpty();
		this.time.pass(Duration.ofMillis(202));
		assertThat(this.call.sent()).containsExactly("beat 1");
		this.time.pass(Duration.ofSeconds(10));
		assertThat(this.call.sent()).hasSizeBetween(10, 13);
	}

	@Test
	void comesAtTimesOfItsOwn() {
		List<Long> times = new ArrayList<>();
		for (int i = 0; i < 50; i++) {
			long start = this.time.nanoTime();
			int sent = this.call.sent().size();
			while (this.call.sent().size() == sent) {
				this.time.pass(Duration.ofMillis(1));
			}
			times.add(Duration.ofNanos(this.time.nanoTime() - start).toMillis());
		}
		assertThat(times).allSatisfy((millis) -> assertThat(millis).isBetween(898L, 1_102L));
		assertThat(Set.copyOf(times)).hasSizeGreaterThan(5);
	}

	@Test
	void waitsForTheLastMessage() {
		for (int i = 0; i < 20; i++) {
			this.time.pass(Duration.ofMillis(880));
			this.writer.write("message");
		}
		assertThat(this.beats).hasValue(0);
		this.time.pass(Duration.ofMillis(899));
		assertThat(this.beats).hasValue(0);
		this.time.pass(Duration.ofMillis(202));
		assertThat(this.beats).hasValue(1);
	}

	@Test
	void isNotSentToAReaderThatIsNotReady() {
		this.call.stall();
		this.time.pass(Duration.ofMillis(5_070));
		assertThat(this.beats).hasValue(0);
		this.call.resume();
		assertThat(this.beats).hasValue(0);
		this.time.pass(Duration.ofMillis(1_101));
		assertThat(this.beats).hasPositiveValue();
	}

	@Test
	void isNotSentBesideMessagesThatWait() {
		this.call.stall();
		this.writer.write("a");
		this.time.pass(Duration.ofMillis(5_070));
		this.call.resume();
		assertThat(this.call.sent()).containsExactly("a");
	}

	@Test
	void isNotSentAfterTheEnd() {
		this.writer.complete();
		this.time.pass(Duration.ofMillis(5_070));
		assertThat(this.call.sent()).containsExactly("completed");
		assertThat(this.time.pending()).isZero();
	}

	@Test
	void nothingIsLeftOfACallerThatLeft() {
		this.call.cancel();
		assertThat(this.time.pending()).isZero();
		this.time.pass(Duration.ofMillis(5_070));
		assertThat(this.call.sent()).isEmpty();
	}

	@Test
	void thatCannotBeBuiltFailsTheStream() {
		ScriptedObserver other = new ScriptedObserver();
		StreamWriter<String> failing = new StreamWriterBuilder<String>(
				new Streams("test", this.time, this.time, Runnable::run), other)
			.heartbeat(Duration.ofSeconds(1), () -> {
				throw new IllegalStateException("no heart");
			})
			.open();
		this.time.pass(Duration.ofMillis(1_101));
		assertThat(other.sent()).containsExactly("error no heart");
		assertThat(failing.isOpen()).isFalse();
	}

	@Test
	void isNotSentUnlessAskedFor() {
		ScriptedObserver other = new ScriptedObserver();
		long pending = this.time.pending();
		new StreamWriterBuilder<>(new Streams("test", this.time, this.time, Runnable::run), other).open();
		assertThat(this.time.pending()).isEqualTo(pending);
	}

	@Test
	void needsATime() {
		assertThatIllegalArgumentException().isThrownBy(() -> builder().heartbeat(Duration.ZERO, () -> "x"))
			.withMessage("idle must be positive, not PT0S");
	}

}
