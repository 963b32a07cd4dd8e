package io.github.grpcresilience.internal.call;

import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class GraceTests {

	private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

	private final Grace grace = new Grace();

	private int steps() {
		int steps = 0;
		while (this.grace.begin() > 0) {
			this.grace.end(0, false);
			steps++;
		}
		return steps;
	}

	@Test
	void stepsGetThroughTwiceWithOneRefusalBetweenAndThenNoMore() {
		assertThat(steps()).isEqualTo(64);
		assertThat(steps()).isEqualTo(64);
		assertThat(steps()).isZero();
		assertThat(steps()).isZero();
	}

	@Test
	void stepsOfAStageTakeAQuarterOfASecondTogether() {
		assertThat(this.grace.begin()).isEqualTo(250 * MILLI);
		this.grace.end(170 * MILLI, false);
		assertThat(this.grace.begin()).isEqualTo(80 * MILLI);
		this.grace.end(80 * MILLI, false);
		assertThat(this.grace.begin()).isZero();
		assertThat(this.grace.begin()).isEqualTo(250 * MILLI);
	}

	/** Whoever is stopped needs no refusal to hear of it, and cleans up next. */
	@Test
	void stopIsASignalAsWell() {
		assertThat(this.grace.begin()).isPositive();
		this.grace.end(251 * MILLI, true);
		assertThat(this.grace.begin()).isEqualTo(250 * MILLI);
		this.grace.end(251 * MILLI, true);
		assertThat(this.grace.begin()).isZero();
		assertThat(this.grace.begin()).isZero();
	}

	@Test
	void goingOnCountsNoStep() {
		for (int i = 0; i < 1_000; i++) {
			assertThat(this.grace.goOn()).isPositive();
		}
		assertThat(steps()).isEqualTo(64);
	}

	@Test
	void waitingForConnectionsHasATimeOfItsOwn() {
		assertThat(this.grace.waitNanos()).isEqualTo(1_000 * MILLI);
		this.grace.waited(700 * MILLI);
		assertThat(this.grace.waitNanos()).isEqualTo(300 * MILLI);
		this.grace.waited(301 * MILLI);
		assertThat(this.grace.waitNanos()).isZero();
		assertThat(this.grace.waitNanos()).isEqualTo(1_000 * MILLI);
	}

	@Test
	void commitThatIsLetThroughBeginsItAnewButOnce() {
		assertThat(steps()).isEqualTo(64);
		assertThat(steps()).isEqualTo(64);
		this.grace.renew();
		assertThat(steps()).isEqualTo(64);
		assertThat(steps()).isEqualTo(64);
		this.grace.renew();
		assertThat(steps()).isZero();
	}

	/** As a clock that is read on two cores may say. */
	@Test
	void timeThatRanBackwardsIsNotGivenBack() {
		assertThat(this.grace.begin()).isPositive();
		this.grace.end(-7 * MILLI, false);
		assertThat(this.grace.begin()).isEqualTo(250 * MILLI);
	}

}
