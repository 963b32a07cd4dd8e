package io.github.grpcresilience.internal.admission;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.internal.admission.Gate.Scope;

import static org.assertj.core.api.Assertions.assertThat;

class RateGateTests {

	/** Where nanoTime turns negative within the test. */
	private final FakeTime time = new FakeTime(Long.MAX_VALUE - Duration.ofMillis(1050).toNanos());

	@Test
	void letsInWhatOneSecondAllowsAtOnceAndNoMore() {
		RateGate gate = gate(7);
		assertThat(enter(gate, 20)).isEqualTo(7);
	}

	@Test
	void refillsWithoutPause() {
		RateGate gate = gate(8);
		enter(gate, 8);
		this.time.pass(Duration.ofMillis(124));
		assertThat(enter(gate, 3)).isZero();
		this.time.pass(Duration.ofMillis(1));
		assertThat(enter(gate, 3)).isEqualTo(1);
		this.time.pass(Duration.ofMillis(250));
		assertThat(enter(gate, 9)).isEqualTo(2);
	}

	@Test
	void pauseIsNotSavedUpBeyondOneSecond() {
		RateGate gate = gate(7);
		enter(gate, 7);
		this.time.pass(Duration.ofHours(33));
		assertThat(enter(gate, 99)).isEqualTo(7);
	}

	@Test
	void saysWhenTheNextOneMayCome() {
		RateGate gate = gate(4);
		enter(gate, 4);
		this.time.pass(Duration.ofMillis(33));
		long waitNanos = gate.enter();
		assertThat(waitNanos).isEqualTo(Duration.ofMillis(217).toNanos());
		this.time.pass(Duration.ofNanos(waitNanos - 1));
		assertThat(gate.enter()).isEqualTo(1);
		this.time.pass(Duration.ofNanos(1));
		assertThat(gate.enter()).isEqualTo(Gate.OPEN);
	}

	@Test
	void lessThanOnePerSecondIsOneAtATime() {
		RateGate gate = gate(0.5);
		assertThat(enter(gate, 5)).isEqualTo(1);
		assertThat(gate.enter()).isEqualTo(Duration.ofSeconds(2).toNanos());
		assertThat(gate.limit()).isEqualTo("0.5");
	}

	@ParameterizedTest
	@ValueSource(doubles = { 0.001, 1, 1.5, 333, 1_000_000 })
	void sustainsItsRate(double perSecond) {
		RateGate gate = gate(perSecond);
		int burst = enter(gate, 2_000_000);
		assertThat(burst).isEqualTo((int) Math.ceil(perSecond));
		long seconds = (long) Math.max(3, 3 / perSecond);
		long in = 0;
		for (long i = 0; i < seconds; i++) {
			this.time.pass(Duration.ofSeconds(1));
			in += enter(gate, (int) (2 * perSecond) + 2);
		}
		assertThat((double) in).isBetween(0.999 * perSecond * seconds - 1, 1.001 * perSecond * seconds + 1);
	}

	@Test
	void whatIsUndoneIsThereAgain() {
		RateGate gate = gate(7);
		enter(gate, 7);
		gate.undo();
		gate.undo();
		assertThat(enter(gate, 7)).isEqualTo(2);
	}

	@Test
	void threadsTogetherGetNoMoreThanOneAlone() throws Exception {
		RateGate gate = gate(12_345);
		ExecutorService threads = Executors.newFixedThreadPool(4);
		try {
			List<Callable<Integer>> tasks = IntStream.range(0, 4)
				.<Callable<Integer>>mapToObj((i) -> () -> enter(gate, 9_999))
				.toList();
			int in = 0;
			for (Future<Integer> entered : threads.invokeAll(tasks)) {
				in += entered.get();
			}
			assertThat(in).isEqualTo(12_345);
		}
		finally {
			threads.shutdownNow();
		}
	}

	private RateGate gate(double perSecond) {
		return new RateGate(perSecond, Scope.METHOD, this.time);
	}

	private static int enter(RateGate gate, int calls) {
		int in = 0;
		for (int i = 0; i < calls; i++) {
			in += (gate.enter() == Gate.OPEN) ? 1 : 0;
		}
		return in;
	}

}
