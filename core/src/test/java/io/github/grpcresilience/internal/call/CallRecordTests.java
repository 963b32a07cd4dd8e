package io.github.grpcresilience.internal.call;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.grpc.Deadline;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.internal.cancel.CallEnd;

import static org.assertj.core.api.Assertions.assertThat;

class CallRecordTests {

	private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

	private final AtomicLong now = new AtomicLong(1_000 * MILLI);

	private final CallRecord call = new CallRecord(new Deadline.Ticker() {

		@Override
		public long nanoTime() {
			return CallRecordTests.this.now.get();
		}

	}, false);

	private final List<String> told = new ArrayList<>();

	@Test
	void budgetCountsFromTheBeginning() {
		assertThat(this.call.remainingNanos()).isEqualTo(CallRecord.UNLIMITED);
		this.call.within(700 * MILLI);
		this.now.addAndGet(650 * MILLI);
		assertThat(this.call.remainingNanos()).isEqualTo(50 * MILLI);
		this.now.addAndGet(51 * MILLI);
		assertThat(this.call.remainingNanos()).isEqualTo(-MILLI);
	}

	/** Before the timer says so: what waits may have been as patient as the call. */
	@Test
	void isOverWhenItsTimeIsUp() {
		this.call.within(70 * MILLI);
		assertThat(this.call.isOver()).isFalse();
		this.now.addAndGet(70 * MILLI);
		assertThat(this.call.isOver()).isTrue();
		assertThat(this.call.hasEnded()).isFalse();
		assertThat(CallEnd.failure(this.call, "statement", new SQLException("no connection")).getStatus().getCode())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		this.call.answer();
		assertThat(this.call.isOver()).as("answered in time").isFalse();
	}

	@Test
	void answerIsToldToNobodyAndLeavesNothing() {
		this.call.listen((ended) -> this.told.add("first"));
		assertThat(this.call.answer()).isTrue();
		assertThat(this.call.end(true)).isFalse();
		this.call.tell();
		this.call.listen((ended) -> this.told.add("late"));
		assertThat(this.told).isEmpty();
		assertThat(this.call.registered()).isZero();
		assertThat(this.call.hasEnded()).isFalse();
		assertThat(this.call.isAnswered()).isTrue();
	}

	@Test
	void whatBeganFirstIsToldFirstAndWhatBeginsAfterTheEndAtOnce() {
		this.call.listen((ended) -> this.told.add("outer"));
		CallRecord.Registration gone = this.call.listen((ended) -> this.told.add("gone"));
		this.call.listen((ended) -> this.told.add("inner"));
		gone.close();
		gone.close();
		assertThat(this.call.end(false)).isTrue();
		this.call.listen((ended) -> this.told.add("late"));
		assertThat(this.told).containsExactly("late");
		this.call.tell();
		this.call.tell();
		assertThat(this.told).containsExactly("late", "outer", "inner");
		assertThat(this.call.answer()).isFalse();
		assertThat(this.call.isTimedOut()).isFalse();
	}

	@Test
	void agesAreTakenAtTheEnd() {
		this.now.addAndGet(300 * MILLI);
		long early = this.now.get();
		this.now.addAndGet(77 * MILLI);
		this.call.end(true);
		this.now.addAndGet(20 * MILLI);
		long late = this.now.get();
		this.now.addAndGet(3 * MILLI);
		assertThat(this.call.isTimedOut()).isTrue();
		assertThat(this.call.ageAtEndNanos(early)).isEqualTo(77 * MILLI);
		assertThat(this.call.ageAtEndNanos(late)).isEqualTo(-20 * MILLI);
		assertThat(this.call.spentAfterEndNanos(early)).isEqualTo(23 * MILLI);
		assertThat(this.call.spentAfterEndNanos(late)).isEqualTo(3 * MILLI);
	}

	@Test
	void failureSaysWhoseEndItWas() {
		CallRecord other = new CallRecord(Deadline.getSystemTicker(), false);
		RuntimeException failure = new IllegalStateException(
				new CallEndedException(other, new IllegalArgumentException("own")));
		assertThat(CallEndedException.isOfAnother(failure, this.call)).isTrue();
		assertThat(CallEndedException.isOfAnother(failure, other)).isFalse();
		assertThat(CallEndedException.isOfAnother(failure, null)).isTrue();
		assertThat(CallEndedException.isOfAnother(new IllegalStateException(), this.call)).isFalse();
		assertThat(CallEndedException.isOfAnother(null, this.call)).isFalse();
	}

	/**
	 * Work comes and goes while the call is answered or ends: nobody is told twice, and
	 * nothing stays.
	 */
	@Test
	void endsOnceWhoeverRaces() throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(3);
		Random random = new Random(20_261_127);
		try {
			for (int i = 0; i < 5_000; i++) {
				CallRecord one = new CallRecord(Deadline.getSystemTicker(), false);
				CyclicBarrier start = new CyclicBarrier(3);
				AtomicInteger[] tellings = new AtomicInteger[8];
				for (int n = 0; n < tellings.length; n++) {
					tellings[n] = new AtomicInteger();
				}
				boolean[] kept = new boolean[tellings.length];
				for (int n = 0; n < kept.length; n++) {
					kept[n] = random.nextBoolean();
				}
				Future<?> work = threads.submit(() -> {
					start.await();
					for (int n = 0; n < tellings.length; n++) {
						int number = n;
						CallRecord.Registration registration = one
							.listen((ended) -> tellings[number].incrementAndGet());
						if (!kept[n]) {
							registration.close();
						}
					}
					return null;
				});
				Future<Boolean> answer = threads.submit(() -> {
					start.await();
					return one.answer();
				});
				Future<Boolean> end = threads.submit(() -> {
					start.await();
					boolean ended = one.end(true);
					if (ended) {
						one.tell();
					}
					return ended;
				});
				work.get();
				assertThat(answer.get()).isNotEqualTo(end.get());
				for (int n = 0; n < tellings.length; n++) {
					assertThat(tellings[n].get()).isLessThanOrEqualTo(1);
					if (end.get() && kept[n]) {
						assertThat(tellings[n]).hasValue(1);
					}
					if (answer.get()) {
						assertThat(tellings[n]).hasValue(0);
					}
				}
				assertThat(one.registered()).isZero();
			}
		}
		finally {
			threads.shutdownNow();
		}
	}

}
