package io.github.grpcresilience.internal.time;

import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class CoarseTimerTests {

	private final ExecutorService executor = Executors.newFixedThreadPool(2, (task) -> new Thread(task, "handed-over"));

	private final CoarseTimer timer = new CoarseTimer(this.executor);

	@AfterEach
	void end() {
		this.timer.close();
		this.executor.shutdownNow();
	}

	@Test
	void runsActionsOnTheExecutorOnly() throws InterruptedException {
		Queue<String> threads = new ConcurrentLinkedQueue<>();
		CountDownLatch ran = new CountDownLatch(2);
		for (long delay : new long[] { -1, 7_000_000 }) {
			this.timer.schedule(delay, () -> {
				threads.add(Thread.currentThread().getName());
				ran.countDown();
			});
		}
		assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(threads).containsExactly("handed-over", "handed-over");
	}

	@Test
	void neverRunsMuchTooEarly() throws InterruptedException {
		CountDownLatch ran = new CountDownLatch(1);
		long[] at = new long[1];
		long start = System.nanoTime();
		this.timer.schedule(33_000_000, () -> {
			at[0] = System.nanoTime();
			ran.countDown();
		});
		assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(at[0] - start).isGreaterThanOrEqualTo(32_000_000L);
	}

	@Test
	void runsInOrderOfTimeWhateverTheOrderOfScheduling() throws InterruptedException {
		Queue<Integer> order = new ConcurrentLinkedQueue<>();
		CountDownLatch ran = new CountDownLatch(4);
		ExecutorService one = Executors.newSingleThreadExecutor();
		try (CoarseTimer ordered = new CoarseTimer(one)) {
			for (int millis : new int[] { 160, 40, 120, 80 }) {
				ordered.schedule(millis * 1_000_000L, () -> {
					order.add(millis);
					ran.countDown();
				});
			}
			assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
		}
		finally {
			one.shutdownNow();
		}
		assertThat(order).containsExactly(40, 80, 120, 160);
	}

	@Test
	void earlierTimeoutWakesASleepingTimer() throws InterruptedException {
		this.timer.schedule(TimeUnit.HOURS.toNanos(1), () -> {
		});
		CountDownLatch ran = new CountDownLatch(1);
		this.timer.schedule(1_000_000, ran::countDown);
		assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void cancelledTimeoutsAreLetGo() {
		List<Timeout> timeouts = IntStream.range(0, 1000)
			.mapToObj((i) -> this.timer.schedule((i % 2 == 0) ? Long.MAX_VALUE : 60_000_000_000L, () -> {
			}))
			.toList();
		assertThat(this.timer.size()).isEqualTo(1000);
		assertThat(timeouts).allMatch(Timeout::cancel);
		assertThat(timeouts).noneMatch(Timeout::cancel);
		await().until(this.timer::size, (size) -> size == 0);
	}

	@Test
	void survivesAnExecutorThatCannotStartAThread() throws InterruptedException {
		AtomicInteger asked = new AtomicInteger();
		CountDownLatch ran = new CountDownLatch(1);
		try (CoarseTimer starved = new CoarseTimer((task) -> {
			if (asked.incrementAndGet() < 3) {
				throw new OutOfMemoryError("unable to create native thread");
			}
			this.executor.execute(task);
		})) {
			starved.schedule(1_000_000, ran::countDown);
			assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
		}
		assertThat(asked).hasValue(3);
	}

	@Test
	void eachTimeoutIsEitherCancelledOrRun() throws InterruptedException {
		int count = 40_000;
		AtomicInteger ran = new AtomicInteger();
		AtomicInteger cancelled = new AtomicInteger();
		CountDownLatch done = new CountDownLatch(4);
		for (int seed = 0; seed < 4; seed++) {
			Random random = new Random(seed);
			new Thread(() -> {
				for (int i = 0; i < count / 4; i++) {
					Timeout timeout = this.timer.schedule(random.nextInt(3_000_000), ran::incrementAndGet);
					if (random.nextBoolean() && timeout.cancel()) {
						cancelled.incrementAndGet();
					}
				}
				done.countDown();
			}).start();
		}
		assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
		await().until(() -> ran.get() + cancelled.get(), (sum) -> sum == count);
		await().until(this.timer::size, (size) -> size == 0);
	}

	@Test
	void handsOverBeforeItsTimeWhatIsChosen() throws InterruptedException {
		Queue<String> ran = new ConcurrentLinkedQueue<>();
		record Named(String name, Queue<String> ran) implements Runnable {

			@Override
			public void run() {
				this.ran.add(this.name);
			}

		}
		Timeout left = this.timer.schedule(Long.MAX_VALUE, new Named("left", ran));
		for (int i = 0; i < 40; i++) {
			this.timer.schedule((i % 2 == 0) ? Long.MAX_VALUE : TimeUnit.HOURS.toNanos(1), new Named("chosen", ran));
		}
		Timeout cancelled = this.timer.schedule(Long.MAX_VALUE, new Named("chosen", ran));
		cancelled.cancel();
		CountDownLatch done = new CountDownLatch(2);
		this.timer.hurry((action) -> action instanceof Named named && named.name().equals("chosen"), () -> {
			ran.add("done");
			done.countDown();
		});
		this.timer.hurry((action) -> false, done::countDown);
		assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(ran).hasSize(41).endsWith("done").doesNotContain("left");
		assertThat(left.cancel()).isTrue();
		await().until(() -> this.timer.size() == 0);
	}

}
