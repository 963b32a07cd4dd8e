package io.github.grpcresilience.internal.attempt;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class AttemptExecutorTests {

	private final List<Runnable> own = new ArrayList<>();

	private final List<Runnable> others = new ArrayList<>();

	private final List<String> ran = new ArrayList<>();

	private final AttemptExecutor executor = new AttemptExecutor(this.own::add, this.others::add);

	private Runnable task(String name) {
		return () -> this.ran.add(name);
	}

	@Test
	void attemptThatIsAloneRunsOnTheCallsExecutor() {
		this.executor.execute(task("a"));
		this.own.forEach(Runnable::run);
		assertThat(this.ran).containsExactly("a");
		assertThat(this.others).isEmpty();
	}

	@Test
	void attemptThatIsAccompaniedRunsElsewhere() {
		this.executor.accompany(this.others::add);
		this.executor.execute(task("a"));
		assertThat(this.own).isEmpty();
		assertThat(this.others).hasSize(1);
	}

	@Test
	void whatHasNotBegunByThenRunsOnceWhereverItBeginsFirst() {
		this.executor.execute(task("begun"));
		this.own.get(0).run();
		this.executor.execute(task("a"));
		this.executor.execute(task("b"));
		this.executor.accompany(this.others::add);
		assertThat(this.others).hasSize(2);
		this.others.forEach(Runnable::run);
		this.own.forEach(Runnable::run);
		assertThat(this.ran).containsExactlyInAnyOrder("begun", "a", "b");
	}

	@Test
	void whatTheCallsExecutorRejectsRunsElsewhere() {
		AttemptExecutor rejected = new AttemptExecutor((task) -> {
			throw new RejectedExecutionException("closed");
		}, this.others::add);
		rejected.execute(task("a"));
		this.others.forEach(Runnable::run);
		assertThat(this.ran).containsExactly("a");
	}

	@Test
	void nothingIsLostIfTheCallerLeavesWhileTheAttemptIsAccompanied() throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(2);
		try {
			for (int i = 0; i < 20_000; i++) {
				AtomicInteger runs = new AtomicInteger();
				CountDownLatch both = new CountDownLatch(2);
				// A stub that has left drops what it is handed.
				AttemptExecutor raced = new AttemptExecutor((task) -> {
				}, Runnable::run);
				threads.execute(() -> {
					raced.execute(runs::incrementAndGet);
					both.countDown();
				});
				threads.execute(() -> {
					raced.accompany(Runnable::run);
					both.countDown();
				});
				assertThat(both.await(10, TimeUnit.SECONDS)).isTrue();
				assertThat(runs).hasValue(1);
			}
		}
		finally {
			threads.shutdownNow();
		}
	}

}
