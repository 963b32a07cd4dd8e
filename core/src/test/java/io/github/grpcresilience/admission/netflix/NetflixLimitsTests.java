package io.github.grpcresilience.admission.netflix;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.admission.AdaptiveLimit;

import static org.assertj.core.api.Assertions.assertThat;

class NetflixLimitsTests {

	private final FakeTime time = new FakeTime(Long.MAX_VALUE - Duration.ofSeconds(7).toNanos());

	private final NetflixLimits limits = new NetflixLimits(this.time);

	@Test
	void growsWhileCallsTakeNoLonger() {
		AdaptiveLimit limit = this.limits.create(Integer.MAX_VALUE);
		assertThat(limit.limit()).isEqualTo(NetflixLimits.INITIAL);
		serve(limit, 20, Duration.ofMillis(7));
		assertThat(limit.limit()).isGreaterThan(50);
	}

	@Test
	void shrinksWhenCallsTakeLonger() {
		AdaptiveLimit limit = this.limits.create(Integer.MAX_VALUE);
		serve(limit, 20, Duration.ofMillis(7));
		int grown = limit.limit();
		serve(limit, 20, Duration.ofMillis(35));
		assertThat(limit.limit()).isLessThan(grown - 10);
	}

	@Test
	void neverExceedsItsCeiling() {
		AdaptiveLimit limit = this.limits.create(23);
		serve(limit, 60, Duration.ofMillis(7));
		assertThat(limit.limit()).isEqualTo(23);
		assertThat(this.limits.create(3).limit()).isEqualTo(3);
		assertThat(this.limits.create(1).limit()).isEqualTo(1);
	}

	@Test
	void doesNotGrowWhileItIsNotUsed() {
		AdaptiveLimit limit = this.limits.create(Integer.MAX_VALUE);
		for (int second = 0; second < 30; second++) {
			serveOne(limit, Duration.ofMillis(7), 2, false, 99);
		}
		assertThat(limit.limit()).isEqualTo(NetflixLimits.INITIAL);
	}

	@Test
	void oneImpatientCallerDoesNotStarveTheOthers() {
		AdaptiveLimit limit = this.limits.create(Integer.MAX_VALUE);
		for (int second = 0; second < 60; second++) {
			serveOne(limit, Duration.ofMillis(7), limit.limit(), false, 95);
			serveOne(limit, Duration.ofMillis(1), limit.limit(), true, 5);
		}
		assertThat(limit.limit()).isGreaterThanOrEqualTo(NetflixLimits.INITIAL);
	}

	@Test
	void shrinksWhenManyCallsRunOutOfTime() {
		AdaptiveLimit limit = this.limits.create(Integer.MAX_VALUE);
		for (int second = 0; second < 60; second++) {
			serveOne(limit, Duration.ofMillis(7), limit.limit(), false, 50);
			serveOne(limit, Duration.ofMillis(7), limit.limit(), true, 50);
		}
		assertThat(limit.limit()).isLessThan(5);
	}

	private void serve(AdaptiveLimit limit, int seconds, Duration took) {
		for (int second = 0; second < seconds; second++) {
			serveOne(limit, took, limit.limit(), false, 99);
		}
	}

	/**
	 * Lets a second pass, in which calls end.
	 */
	private void serveOne(AdaptiveLimit limit, Duration took, int inUse, boolean overloaded, int calls) {
		for (int i = 0; i < calls; i++) {
			this.time.pass(Duration.ofSeconds(1).dividedBy(calls));
			limit.ended(took.toNanos(), inUse, overloaded);
		}
	}

}
