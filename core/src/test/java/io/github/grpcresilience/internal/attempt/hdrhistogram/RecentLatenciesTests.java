package io.github.grpcresilience.internal.attempt.hdrhistogram;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;

import static org.assertj.core.api.Assertions.assertThat;

class RecentLatenciesTests {

	private final FakeTime time = new FakeTime(-7);

	private final RecentLatencies latencies = new RecentLatencies(95, this.time);

	private void record(int calls, long millis) {
		for (int i = 0; i < calls; i++) {
			this.latencies.record(TimeUnit.MILLISECONDS.toNanos(millis));
		}
	}

	private long millisAfter(double seconds) {
		this.time.pass(Duration.ofMillis((long) (seconds * 1_000)));
		long nanos = this.latencies.percentileNanos();
		return (nanos == Long.MAX_VALUE) ? -1 : TimeUnit.NANOSECONDS.toMillis(nanos);
	}

	@Test
	void saysNothingOfFewCalls() {
		record(RecentLatencies.LEAST_CALLS - 1, 7);
		assertThat(millisAfter(1.05)).isEqualTo(-1);
		record(1, 7);
		assertThat(millisAfter(1.05)).isEqualTo(7);
	}

	@Test
	void followsThePercentile() {
		record(940, 7);
		record(60, 800);
		assertThat((double) millisAfter(1.05)).isCloseTo(800, Percentage.withPercentage(2));
		record(2_000, 7);
		assertThat(millisAfter(1.05)).isEqualTo(7);
	}

	@Test
	void forgetsWhatIsTenSecondsOld() {
		record(100, 300);
		assertThat((double) millisAfter(1)).isCloseTo(300, Percentage.withPercentage(2));
		for (int second = 0; second < 9; second++) {
			record(100, 7);
			millisAfter(1);
		}
		record(100, 7);
		assertThat(millisAfter(1)).isEqualTo(7);
	}

	@Test
	void forgetsWhatCameBeforeASilence() {
		record(1_000, 300);
		assertThat(millisAfter(1)).isPositive();
		assertThat(millisAfter(60)).isEqualTo(-1);
	}

	@Test
	void neverFallsBelowTheFloor() {
		for (int i = 0; i < 1_000; i++) {
			this.latencies.record(1);
		}
		assertThat(millisAfter(1)).isOne();
	}

	@Test
	void takesWhateverACallTook() {
		this.latencies.record(Long.MAX_VALUE);
		this.latencies.record(-7);
		record(100, 7);
		assertThat(millisAfter(1)).isEqualTo(7);
	}

}
