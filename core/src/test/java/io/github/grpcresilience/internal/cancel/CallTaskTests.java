package io.github.grpcresilience.internal.cancel;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

import io.grpc.Context;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

class CallTaskTests {

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS,
			new LinkedBlockingQueue<>());

	private final ExecutorService executor = this.resilience.work().executor(this.pool);

	private final CountDownLatch busy = new CountDownLatch(1);

	private final TestCall call = TestCall.begin();

	private final AtomicBoolean ran = new AtomicBoolean();

	private final Callable<String> look = this::seen;

	@AfterEach
	void end() {
		this.busy.countDown();
		this.call.close();
		this.pool.shutdownNow();
		this.resilience.close();
	}

	/** Until the end of the test, or until told. */
	private void keepBusy() {
		this.pool.execute(() -> waitFor(this.busy));
	}

	private static void waitFor(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private <T> T in(Callable<T> handler) throws Exception {
		return this.call.call(handler);
	}

	private String seen() {
		return TestCall.VALUE.get() + ", interrupted: " + Thread.currentThread().isInterrupted();
	}

	private static final String CALL = "of the call, interrupted: false";

	@Test
	void everyWayToSubmitHandsOnTheCall() throws Exception {
		CompletableFuture<String> executed = new CompletableFuture<>();
		this.call.run(() -> this.executor.execute(() -> executed.complete(seen())));
		assertThat(executed.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
		assertThat(in(() -> this.executor.submit(this::seen)).get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
		AtomicBoolean inCall = new AtomicBoolean();
		Runnable check = () -> inCall.set(seen().equals(CALL));
		assertThat(in(() -> this.executor.submit(check, "done")).get(20, TimeUnit.SECONDS)).isEqualTo("done");
		assertThat(inCall).isTrue();
		assertThat(in(() -> this.executor.invokeAll(List.of(this.look))).get(0).get()).isEqualTo(CALL);
		assertThat(in(() -> this.executor.invokeAny(List.of(this.look)))).isEqualTo(CALL);
		assertThat(in(() -> CompletableFuture.supplyAsync(this::seen, this.executor)).get(20, TimeUnit.SECONDS))
			.isEqualTo(CALL);
		assertThat(in(() -> CompletableFuture.completedFuture("").thenApplyAsync((value) -> seen(), this.executor))
			.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
	}

	@Test
	void threadIsLeftAsItWasFound() throws Exception {
		in(() -> this.executor.submit(this::seen)).get(20, TimeUnit.SECONDS);
		assertThat(this.pool.submit(Context::current).get(20, TimeUnit.SECONDS)).isSameAs(Context.ROOT);
	}

	@Test
	void plainExecutorHandsOnTheCall() throws Exception {
		Executor plain = this.resilience.work().executor((Executor) (task) -> new Thread(task).start());
		assertThat(in(() -> CompletableFuture.supplyAsync(this::seen, plain)).get(20, TimeUnit.SECONDS))
			.isEqualTo(CALL);
	}

	@Test
	void threadPerTaskHandsOnTheCall() throws Exception {
		ExecutorService threads = this.resilience.work().executor(threadPerTask());
		try {
			assertThat(in(() -> threads.submit(this::seen)).get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
			CompletableFuture<Thread> stopped = new CompletableFuture<>();
			TestCall interruptible = TestCall.beginInterruptible();
			CountDownLatch started = new CountDownLatch(1);
			interruptible.run(() -> threads.execute(() -> {
				started.countDown();
				sleepUntilInterrupted();
				stopped.complete(Thread.currentThread());
			}));
			waitFor(started);
			interruptible.abandon();
			assertThat(stopped.get(20, TimeUnit.SECONDS)).isNotNull();
		}
		finally {
			threads.shutdownNow();
		}
	}

	/** Virtual ones, where this JDK has them. */
	private static ExecutorService threadPerTask() throws Exception {
		if (Runtime.version().feature() < 21) {
			return Executors.newCachedThreadPool();
		}
		return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
	}

	private static void sleepUntilInterrupted() {
		CountDownLatch never = new CountDownLatch(1);
		try {
			assertThat(never.await(20, TimeUnit.SECONDS)).as("interrupted").isTrue();
		}
		catch (InterruptedException ex) {
			// What the caller waits for.
		}
	}

	@Test
	void outsideACallNothingIsWrapped() {
		List<Runnable> received = new ArrayList<>();
		Executor plain = this.resilience.work().executor((Executor) received::add);
		Runnable task = () -> {
		};
		plain.execute(task);
		assertThat(received).singleElement().isSameAs(task);
		assertThat(wrap(task)).isSameAs(task);
	}

	private Runnable wrap(Runnable task) {
		return new CallTasks(this.resilience.work().canceller()).wrap(task, true, UnaryOperator.identity(), null);
	}

	@Test
	void wrappingTwiceIsWrappingOnce() {
		assertThat(this.resilience.work().executor(this.executor)).isSameAs(this.executor);
		assertThat(this.resilience.work().executor((Executor) this.executor)).isSameAs(this.executor);
		this.call.run(() -> {
			Runnable once = wrap(() -> {
			});
			assertThat(wrap(once)).isSameAs(once);
		});
	}

	@Test
	void queuedTasksOfAnAbandonedCallLeaveTheQueue() throws Exception {
		keepBusy();
		Future<?> future = in(() -> this.executor.submit(() -> this.ran.set(true)));
		this.call.run(() -> this.executor.execute(() -> this.ran.set(true)));
		Future<?> other = this.executor.submit(() -> "another call's");
		assertThat(this.pool.getQueue()).hasSize(3);
		this.call.abandon();
		assertThatThrownBy(() -> future.get(20, TimeUnit.SECONDS)).isInstanceOf(CancellationException.class);
		await().untilAsserted(() -> assertThat(this.pool.getQueue()).hasSize(1));
		this.busy.countDown();
		assertThat(other.get(20, TimeUnit.SECONDS)).isEqualTo("another call's");
		assertThat(this.ran).isFalse();
		assertThat(refused()).isEqualTo(2);
	}

	private long refused() {
		return this.resilience.inspection().stoppedWork().sums(Work.TASK).refused();
	}

	@Test
	void tasksOfAnAnsweredCallStay() throws Exception {
		keepBusy();
		Future<String> future = in(() -> this.executor.submit(this::seen));
		this.call.answer();
		this.busy.countDown();
		assertThat(future.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
		assertThat(refused()).isZero();
	}

	@Test
	void answerDoesNotCancelTheContextOfATask() throws Exception {
		CountDownLatch started = new CountDownLatch(1);
		CountDownLatch answered = new CountDownLatch(1);
		Future<Context> running = in(() -> this.executor.submit(() -> {
			started.countDown();
			waitFor(answered);
			return Context.current();
		}));
		waitFor(started);
		this.call.answer();
		answered.countDown();
		Context context = running.get(20, TimeUnit.SECONDS);
		assertThat(context.isCancelled()).isFalse();
		assertThat(TestCall.VALUE.get(context)).isEqualTo("of the call");
	}

	@Test
	void abandonedCallCancelsTheContextOfATaskWithItsCause() throws Exception {
		Context context = in(() -> this.executor.submit(Context::current)).get(20, TimeUnit.SECONDS);
		Context nested = context.call(() -> this.call.scope().call(() -> this.executor.submit(Context::current)))
			.get(20, TimeUnit.SECONDS);
		assertThat(nested).isSameAs(context);
		assertThat(context.isCancelled()).isFalse();
		assertThat(context.getDeadline()).isNull();
		this.call.abandon();
		await().until(context::isCancelled);
		assertThat(Status.fromThrowable(context.cancellationCause()).getCode()).isEqualTo(Status.Code.CANCELLED);
	}

	@Test
	void tasksAreRefusedWithTheirStatusWhenTheGraceOfTheirCallIsUsedUp() throws Exception {
		this.call.abandon();
		in(() -> {
			useUpGrace();
			assertThatExceptionOfType(RejectedExecutionException.class)
				.isThrownBy(() -> this.executor.submit(this::seen))
				.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode())
					.isEqualTo(Status.Code.CANCELLED));
			assertThatExceptionOfType(RejectedExecutionException.class)
				.isThrownBy(() -> CompletableFuture.supplyAsync(this::seen, this.executor));
			assertThatExceptionOfType(RejectedExecutionException.class)
				.isThrownBy(() -> this.executor.execute(() -> this.ran.set(true)));
			assertThatExceptionOfType(RejectedExecutionException.class)
				.isThrownBy(() -> this.executor.invokeAll(List.of(this.look)));
			return null;
		});
		assertThat(this.ran).isFalse();
	}

	private void useUpGrace() throws Exception {
		for (int stage = 0; stage < 2; stage++) {
			for (int i = 0; i < 64; i++) {
				this.executor.submit(this::seen).get(20, TimeUnit.SECONDS);
			}
			assertThatExceptionOfType(RejectedExecutionException.class)
				.isThrownBy(() -> this.executor.submit(this::seen));
		}
	}

	@Test
	void tasksThatBelongToNobodySeeNoCallAndOutliveIt() throws Exception {
		keepBusy();
		CallTasks tasks = new CallTasks(this.resilience.work().canceller());
		CompletableFuture<Boolean> nobodys = new CompletableFuture<>();
		in(() -> {
			this.pool.execute(tasks.wrap(() -> nobodys.complete(CallScope.isNobody()), false, UnaryOperator.identity(),
					this.pool));
			return null;
		});
		this.call.abandon();
		this.busy.countDown();
		assertThat(nobodys.get(20, TimeUnit.SECONDS)).isTrue();
		assertThat(refused()).isZero();
	}

	/** As a pool does that is full and lets its callers run what they submit. */
	@Test
	void tasksThatBelongToNobodySeeNoCallOnTheThreadOfTheHandler() throws Exception {
		CallTasks tasks = new CallTasks(this.resilience.work().canceller());
		in(() -> {
			tasks.wrap(() -> this.ran.set(CallScope.current() == null), false, UnaryOperator.identity(), null).run();
			assertThat(CallScope.current()).isSameAs(this.call.scope());
			return null;
		});
		assertThat(this.ran).isTrue();
	}

	/** Whoever shuts a pool down cancels the futures that he finds in its queue. */
	@Test
	void futureThatBelongsToNobodyIsStillAFuture() throws Exception {
		FutureTask<String> future = new FutureTask<>(this::seen);
		Runnable wrapped = in(() -> new CallTasks(this.resilience.work().canceller()).wrap(future, false,
				UnaryOperator.identity(), null));
		assertThat(wrapped).isNotSameAs(future).isInstanceOf(Future.class);
		((Future<?>) wrapped).cancel(false);
		assertThat(future.isCancelled()).isTrue();
	}

	@Test
	void tasksThatAreComparedInTheirQueueStayComparable() throws Exception {
		record Urgent(int order) implements Runnable, Comparable<Urgent> {

			@Override
			public int compareTo(Urgent other) {
				return Integer.compare(this.order, other.order);
			}

			@Override
			public void run() {
				// nothing to do
			}

		}
		Urgent task = new Urgent(7);
		assertThat(in(() -> new CallTasks(this.resilience.work().canceller()).wrap(task, false,
				UnaryOperator.identity(), null)))
			.isSameAs(task);
	}

	@Test
	void lastStagesOfAnAbandonedCallRun() throws Exception {
		this.call.abandon();
		CompletableFuture<String> cleanedUp = in(
				() -> CompletableFuture.completedFuture("").handleAsync((value, thrown) -> seen(), this.executor));
		assertThat(cleanedUp.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
	}

	@Test
	void queuedCompletableFutureIsCompleted() throws Exception {
		keepBusy();
		CompletableFuture<Boolean> future = in(
				() -> CompletableFuture.supplyAsync(() -> this.call.record().hasEnded(), this.executor));
		this.call.abandon();
		this.busy.countDown();
		assertThat(future.get(20, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void futureThatWasSubmittedAsATaskStrandsNobody() throws Exception {
		keepBusy();
		FutureTask<String> inner = new FutureTask<>(this::seen);
		in(() -> this.executor.submit(inner));
		this.call.abandon();
		assertThatThrownBy(() -> inner.get(20, TimeUnit.SECONDS)).isInstanceOf(CancellationException.class);
	}

	@Test
	void completionServiceStrandsNobody() throws Exception {
		keepBusy();
		ExecutorCompletionService<String> service = new ExecutorCompletionService<>(this.executor);
		in(() -> service.submit(this::seen));
		this.call.abandon();
		this.busy.countDown();
		Future<String> completed = service.poll(20, TimeUnit.SECONDS);
		assertThat(completed).isNotNull();
		assertThat(completed.get(20, TimeUnit.SECONDS)).isEqualTo(CALL);
	}

	@Test
	void invokeAllAndInvokeAnyReturnWhenTheirCallIsAbandoned() throws Exception {
		keepBusy();
		ExecutorService handlers = Executors.newFixedThreadPool(2);
		try {
			Future<List<Future<String>>> all = handlers
				.submit(() -> in(() -> this.executor.invokeAll(List.of(this.look, this.look))));
			Future<String> any = handlers.submit(() -> in(() -> this.executor.invokeAny(List.of(this.look))));
			await().untilAsserted(() -> assertThat(this.pool.getQueue()).hasSize(3));
			this.call.abandon();
			assertThat(all.get(20, TimeUnit.SECONDS)).allMatch(Future::isCancelled);
			this.busy.countDown();
			assertThatThrownBy(() -> any.get(20, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class)
				.satisfies((thrown) -> assertThat(Status.fromThrowable(thrown).getCode())
					.isEqualTo(Status.Code.CANCELLED));
		}
		finally {
			handlers.shutdownNow();
		}
	}

	@Test
	void kindsAreToldByClass() throws Exception {
		assertThat(TaskKind.of(() -> {
		})).isEqualTo(TaskKind.PLAIN);
		assertThat(TaskKind.of(new FutureTask<>(this::seen))).isEqualTo(TaskKind.FUTURE);
		assertThat(TaskKind.of(Context.ROOT.wrap(() -> {
		}))).isEqualTo(TaskKind.FOREIGN);
		assertThat(TaskKind.of((OwnContext) () -> {
		})).isEqualTo(TaskKind.FOREIGN);
		List<Runnable> stages = new ArrayList<>();
		CompletableFuture<String> first = CompletableFuture.supplyAsync(this::seen, stages::add);
		stages.get(0).run();
		CompletableFuture<Void> second = first.thenRunAsync(() -> {
		}, stages::add);
		assertThat(second).isNotDone();
		assertThat(stages).extracting(TaskKind::of).containsExactly(TaskKind.FIRST_STAGE, TaskKind.AWAITED);
	}

	@Test
	void runningTaskIsInterruptedWhereThePolicySaysSo() throws Exception {
		TestCall interruptible = TestCall.beginInterruptible();
		CountDownLatch started = new CountDownLatch(1);
		Future<?> future = interruptible.call(() -> this.executor.submit(() -> {
			started.countDown();
			sleepUntilInterrupted();
		}));
		waitFor(started);
		interruptible.abandon();
		future.get(20, TimeUnit.SECONDS);
		assertThat(this.pool.submit(() -> Thread.currentThread().isInterrupted()).get(20, TimeUnit.SECONDS)).isFalse();
		assertThat(this.resilience.inspection().stoppedWork().sums(Work.TASK).cancelled()).isEqualTo(1);
	}

	@Test
	void runningTaskIsLeftAloneWhereThePolicySaysNothing() throws Exception {
		CountDownLatch started = new CountDownLatch(1);
		CountDownLatch abandoned = new CountDownLatch(1);
		Future<Boolean> future = in(() -> this.executor.submit(() -> {
			started.countDown();
			waitFor(abandoned);
			return Thread.currentThread().isInterrupted();
		}));
		waitFor(started);
		this.call.abandon();
		abandoned.countDown();
		assertThat(future.get(20, TimeUnit.SECONDS)).isFalse();
	}

	@Test
	void answeredCallInterruptsNobody() throws Exception {
		TestCall interruptible = TestCall.beginInterruptible();
		CountDownLatch started = new CountDownLatch(1);
		CountDownLatch answered = new CountDownLatch(1);
		Future<Boolean> future = interruptible.call(() -> this.executor.submit(() -> {
			started.countDown();
			waitFor(answered);
			return Thread.currentThread().isInterrupted();
		}));
		waitFor(started);
		interruptible.answer();
		answered.countDown();
		assertThat(future.get(20, TimeUnit.SECONDS)).isFalse();
	}

	@Test
	void interruptOfAnInnerTaskReachesTheOuterOneToo() throws Exception {
		ExecutorService direct = this.resilience.work()
			.executor(new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new java.util.concurrent.SynchronousQueue<>(),
					new ThreadPoolExecutor.CallerRunsPolicy()));
		TestCall interruptible = TestCall.beginInterruptible();
		CountDownLatch started = new CountDownLatch(1);
		direct.execute(() -> waitFor(this.busy));
		Future<Boolean> outer = interruptible.call(() -> this.executor.submit(() -> {
			direct.execute(() -> {
				started.countDown();
				sleepUntilInterrupted();
			});
			return Thread.interrupted();
		}));
		waitFor(started);
		interruptible.abandon();
		assertThat(outer.get(20, TimeUnit.SECONDS)).isTrue();
		this.busy.countDown();
		direct.shutdownNow();
	}

	@Test
	void watchesEndWithTheirTasks() throws Exception {
		List<Future<String>> futures = new ArrayList<>();
		in(() -> {
			for (int i = 0; i < 100; i++) {
				futures.add(this.executor.submit(this::seen));
			}
			return null;
		});
		for (Future<String> future : futures) {
			future.get(20, TimeUnit.SECONDS);
		}
		// One listener is that of the work's Context, which lasts as long as the call.
		await().untilAsserted(() -> assertThat(this.call.listeners()).isEqualTo(1));
	}

	@Test
	void rejectedTaskLeavesNoWatch() throws Exception {
		this.pool.shutdown();
		in(() -> {
			assertThatExceptionOfType(RejectedExecutionException.class)
				.isThrownBy(() -> this.executor.submit(this::seen));
			return null;
		});
		// What is left is the Context of the work.
		assertThat(this.call.listeners()).isEqualTo(1);
	}

	@Test
	void taskThatIsLostLeavesNoWatch() throws Exception {
		CallTasks tasks = new CallTasks(this.resilience.work().canceller());
		in(() -> {
			WeakReference<Runnable> lost = new WeakReference<>(
					tasks.wrap(new FutureTask<>(this::seen), true, UnaryOperator.identity(), null));
			assertThat(this.call.listeners()).isEqualTo(2);
			await().until(() -> {
				System.gc();
				return lost.get() == null;
			});
			await().untilAsserted(() -> {
				this.call
					.run(() -> tasks.wrap(new FutureTask<>(this::seen), true, UnaryOperator.identity(), null).run());
				// What is left is the Context of the work.
				assertThat(this.call.listeners()).isEqualTo(1);
			});
			return null;
		});
	}

	@Test
	void decoratorThatThrowsLeavesNoWatch() throws Exception {
		CallTasks tasks = new CallTasks(this.resilience.work().canceller());
		in(() -> {
			assertThat(catchThrowable(() -> tasks.wrap(new FutureTask<>(this::seen), true, (task) -> {
				throw new IllegalStateException("decorator");
			}, null))).hasMessage("decorator");
			return null;
		});
		assertThat(this.call.listeners()).isEqualTo(1);
	}

	@Test
	void shutdownNowReturnsWhatWasSubmitted() throws Exception {
		keepBusy();
		Future<?> future = in(() -> this.executor.submit(this::seen));
		assertThat(this.executor.shutdownNow()).satisfiesExactly((task) -> assertThat(task).isSameAs(future));
	}

	@Test
	void observeChangesNothingAndCounts() throws Exception {
		try (GrpcResilience observing = GrpcResilience.builder().mode(Mode.OBSERVE).build()) {
			ExecutorService observed = observing.work().executor(this.pool);
			keepBusy();
			AtomicInteger runs = new AtomicInteger();
			Future<Context> future = in(() -> observed.submit(() -> {
				runs.incrementAndGet();
				return Context.current();
			}));
			this.call.abandon();
			Future<?> late = in(() -> observed.submit(runs::incrementAndGet));
			this.busy.countDown();
			assertThat(future.get(20, TimeUnit.SECONDS)).isSameAs(Context.ROOT);
			late.get(20, TimeUnit.SECONDS);
			assertThat(runs).hasValue(2);
			assertThat(observing.inspection().stoppedWork().sums(Work.TASK).refused()).isEqualTo(1);
		}
	}

}
