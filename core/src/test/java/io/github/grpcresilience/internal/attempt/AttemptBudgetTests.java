package io.github.grpcresilience.internal.attempt;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.internal.policy.AttemptBudgetPolicy;

import static org.assertj.core.api.Assertions.assertThat;

class AttemptBudgetTests {

	private final FakeTime time = new FakeTime(-7);

	private AttemptBudget budget(double ratio, double minPerSecond) {
		return new AttemptBudget(new AttemptBudgetPolicy(ratio, minPerSecond, TimeUnit.SECONDS.toNanos(10)), this.time);
	}

	private static int takeAll(AttemptBudget budget) {
		int taken = 0;
		while (budget.tryTake()) {
			taken++;
		}
		return taken;
	}

	private static void call(AttemptBudget budget, int times) {
		for (int i = 0; i < times; i++) {
			budget.called();
		}
	}

	@Test
	void startsWithTheSecondsOfOneWindow() {
		assertThat(takeAll(budget(0.1, 1))).isEqualTo(10);
		assertThat(takeAll(budget(0.1, 0.7))).isEqualTo(7);
		assertThat(takeAll(budget(0.1, 0))).isZero();
	}

	@Test
	void callsAddTheirShare() {
		AttemptBudget budget = budget(0.1, 0);
		call(budget, 69);
		assertThat(takeAll(budget)).isEqualTo(6);
		call(budget, 1);
		assertThat(takeAll(budget)).isEqualTo(1);
	}

	@Test
	void secondsAddTheirs() {
		AttemptBudget budget = budget(0.1, 2);
		assertThat(takeAll(budget)).isEqualTo(20);
		this.time.pass(Duration.ofMillis(3_500));
		assertThat(takeAll(budget)).isEqualTo(7);
	}

	@Test
	void keepsNoMoreThanAWindowAdds() {
		AttemptBudget budget = budget(0.1, 1);
		for (int second = 0; second < 3_600; second++) {
			call(budget, 100);
			this.time.pass(Duration.ofSeconds(1));
		}
		assertThat(takeAll(budget)).as("an hour of 100 calls/s keeps 10 s of them").isEqualTo(110);
	}

	@Test
	void keepsNothingOfCallsLongAgo() {
		AttemptBudget budget = budget(0.1, 0);
		call(budget, 1_000);
		assertThat(budget.available()).isEqualTo(100);
		this.time.pass(Duration.ofSeconds(10));
		assertThat(budget.available()).as("one may always be kept").isOne();
	}

	@Test
	void sustainedAttemptsStayWithinTheRatio() {
		AttemptBudget budget = budget(0.1, 1);
		takeAll(budget);
		int taken = 0;
		for (int call = 0; call < 10_000; call++) {
			budget.called();
			this.time.pass(Duration.ofMillis(10));
			taken += takeAll(budget);
		}
		assertThat(taken).isBetween(1_098, 1_100);
	}

	@Test
	void fewCallsSaveUpForOne() {
		AttemptBudget budget = budget(0.1, 0);
		int taken = 0;
		for (int call = 0; call < 100; call++) {
			budget.called();
			this.time.pass(Duration.ofMinutes(1));
			taken += takeAll(budget);
		}
		assertThat(taken).isBetween(1, 10);
	}

	@Test
	void whatIsPutBackCanBeTaken() {
		AttemptBudget budget = budget(0, 0.1);
		assertThat(budget.tryTake()).isTrue();
		assertThat(budget.tryTake()).isFalse();
		budget.putBack();
		assertThat(budget.taken()).isZero();
		assertThat(budget.tryTake()).isTrue();
	}

	@Test
	void threadsTakeWhatThereIs() throws Exception {
		AttemptBudget budget = budget(0.1, 0);
		ExecutorService threads = Executors.newFixedThreadPool(8);
		CountDownLatch done = new CountDownLatch(8);
		for (int thread = 0; thread < 8; thread++) {
			threads.execute(() -> {
				for (int i = 0; i < 10_000; i++) {
					budget.called();
					if (budget.tryTake() && i % 3 == 0) {
						budget.putBack();
					}
				}
				done.countDown();
			});
		}
		assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
		threads.shutdown();
		takeAll(budget);
		assertThat(budget.taken()).isBetween(7_999L, 8_000L);
	}

}
