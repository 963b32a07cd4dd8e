package io.github.grpcresilience.internal.cancel;

import java.time.Duration;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.policy.CancellationSettings;
import io.github.grpcresilience.internal.policy.DeadlineSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Real calls, whose handlers hand work to executors or are interrupted themselves.
 */
class HandlerTaskTests {

	private static final int CALLS = 3_000;

	private static final int SEED = 20_260_311;

	private final Loopback loopback = new Loopback();

	private final ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS,
			new LinkedBlockingQueue<>());

	private final GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());

	private final GrpcResilience interrupting = this.loopback.resilience(GrpcResilience.builder()
		.policies(Policies.server()
			.policy("interrupt", "test.v1.Shop")
			.with(CancellationSettings.INTERRUPT_ON_CANCEL, true)
			.with(DeadlineSettings.MAX, Duration.ofSeconds(37))
			.end()
			.define()));

	@AfterEach
	void end() {
		this.loopback.close();
		this.pool.shutdownNow();
	}

	@Test
	void budgetAndCallReachTheTask() throws Exception {
		ExecutorService executor = this.resilience.work().executor(this.pool);
		ManagedChannel channel = serve(this.resilience, new Shop().unary(
				(request, observer) -> executor.execute(() -> Shop.echo(String.valueOf(remainingMillis()), observer))));
		assertThat(Long.parseLong(Loopback.call(channel, Loopback.within(2_345), ""))).isBetween(1L, 2_345L);
	}

	private static long remainingMillis() {
		return Budget.remaining().map(Duration::toMillis).orElse(-1L);
	}

	private ManagedChannel serve(GrpcResilience resilience, Shop shop) {
		ManagedChannel channel = this.loopback.channel(this.loopback.serve(resilience, shop), resilience, "shop");
		Loopback.warmUp(channel);
		return channel;
	}

	@Test
	void taskGoesOnCallingAfterTheAnswer() throws Exception {
		ExecutorService executor = this.resilience.work().executor(this.pool);
		ManagedChannel leaf = serve(this.resilience, new Shop());
		CountDownLatch answered = new CountDownLatch(1);
		CompletableFuture<String> mailed = new CompletableFuture<>();
		CompletableFuture<Context> handlers = new CompletableFuture<>();
		ManagedChannel channel = serve(this.resilience, new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			handlers.complete(Context.current());
			executor.execute(() -> {
				pass(answered);
				try {
					mailed.complete(Loopback.call(leaf, Loopback.within(20_000), "mail"));
				}
				catch (RuntimeException ex) {
					mailed.completeExceptionally(ex);
				}
			});
			Shop.echo(request, observer);
		}));
		assertThat(Loopback.call(channel, Loopback.within(20_000), "order")).isEqualTo("order");
		await().until(() -> handlers.join().isCancelled());
		answered.countDown();
		assertThat(mailed.get(20, TimeUnit.SECONDS)).isEqualTo("mail");
	}

	private static void pass(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void deadCallCancelsDownstreamCallsOfItsTask(boolean byDeadline) throws Exception {
		ExecutorService executor = this.resilience.work().executor(this.pool);
		CompletableFuture<Void> reached = new CompletableFuture<>();
		CompletableFuture<Void> leafCancelled = new CompletableFuture<>();
		ManagedChannel leaf = serve(this.resilience, new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			Context.current().addListener((context) -> leafCancelled.complete(null), Runnable::run);
			reached.complete(null);
		}));
		CompletableFuture<Throwable> ended = new CompletableFuture<>();
		ManagedChannel channel = serve(this.resilience, new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			executor.execute(
					() -> ended.complete(catchThrowable(() -> Loopback.call(leaf, Loopback.within(20_000), "leaf"))));
		}));
		ClientCall<String, String> call = start(channel, byDeadline ? 321 : 20_000);
		reached.get(20, TimeUnit.SECONDS);
		if (!byDeadline) {
			call.cancel("the caller leaves", null);
		}
		leafCancelled.get(20, TimeUnit.SECONDS);
		assertThat(Status.fromThrowable(ended.get(20, TimeUnit.SECONDS)).getCode()).isIn(Status.Code.CANCELLED,
				Status.Code.DEADLINE_EXCEEDED);
	}

	private static ClientCall<String, String> start(ManagedChannel channel, long millis) {
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, Loopback.within(millis));
		call.start(new ClientCall.Listener<>() {
		}, new Metadata());
		call.request(2);
		call.sendMessage("go");
		call.halfClose();
		return call;
	}

	@Test
	void handlerIsInterruptedWhereThePolicySaysSo() throws Exception {
		CompletableFuture<Thread> started = new CompletableFuture<>();
		CompletableFuture<Boolean> ended = new CompletableFuture<>();
		ManagedChannel channel = serve(this.interrupting, blocking(started, ended));
		ClientCall<String, String> call = start(channel, 20_000);
		started.get(20, TimeUnit.SECONDS);
		call.cancel("the caller leaves", null);
		assertThat(ended.get(20, TimeUnit.SECONDS)).as("interrupted").isTrue();
		assertThat(this.interrupting.inspection().stoppedWork().sums(Work.TASK).cancelled()).isEqualTo(1);
	}

	@Test
	void handlerIsInterruptedByItsDeadlineAndTheCallerReadsTheDeadline() throws Exception {
		CompletableFuture<Thread> started = new CompletableFuture<>();
		CompletableFuture<Boolean> ended = new CompletableFuture<>();
		ManagedChannel channel = serve(this.interrupting, blocking(started, ended));
		Throwable thrown = catchThrowable(() -> Loopback.call(channel, Loopback.within(287), "go"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(ended.get(20, TimeUnit.SECONDS)).as("interrupted").isTrue();
	}

	@Test
	void handlerIsLeftAloneWhereThePolicySaysNothing() throws Exception {
		CompletableFuture<Thread> started = new CompletableFuture<>();
		CompletableFuture<Boolean> ended = new CompletableFuture<>();
		ManagedChannel channel = serve(this.resilience, blocking(started, ended));
		ClientCall<String, String> call = start(channel, 20_000);
		Thread handler = started.get(20, TimeUnit.SECONDS);
		call.cancel("the caller leaves", null);
		await().until(() -> this.resilience.inspection()
			.servedMethods()
			.stream()
			.anyMatch((method) -> method.counts().byCode().containsKey(Status.Code.CANCELLED)));
		assertThat(ended).isNotDone();
		handler.interrupt();
		assertThat(ended.get(20, TimeUnit.SECONDS)).isTrue();
	}

	private static Shop blocking(CompletableFuture<Thread> started, CompletableFuture<Boolean> ended) {
		return new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
				return;
			}
			started.complete(Thread.currentThread());
			try {
				ended.complete(new CountDownLatch(1).await(20, TimeUnit.SECONDS));
			}
			catch (InterruptedException ex) {
				ended.complete(true);
				throw new IllegalStateException(ex);
			}
		});
	}

	/**
	 * All callbacks of all calls run on two threads, since grpc-java needs a second one
	 * to cancel what the first one does, and so do their tasks. Each caller leaves about
	 * when its handler has done its work.
	 */
	@Test
	void interruptNeverLeaksToTheNextCallNorToTheNextTask() throws Exception {
		Queue<String> leaks = new ConcurrentLinkedQueue<>();
		AtomicInteger interrupted = new AtomicInteger();
		AtomicInteger tasks = new AtomicInteger();
		ThreadPoolExecutor two = new WatchedThreads(2, leaks);
		ExecutorService wrapped = this.interrupting.work().executor(two);
		LinkedBlockingQueue<String> begun = new LinkedBlockingQueue<>();
		Shop shop = new Shop().unary((request, observer) -> {
			if (!request.equals("warm")) {
				begun.add(request);
				wrapped.execute(() -> {
					tasks.incrementAndGet();
					spin(interrupted, 100);
				});
				spin(interrupted, 300);
			}
			Shop.echo(request, observer);
		});
		Server server = this.loopback.serve(this.interrupting, shop, (builder) -> builder.executor(two));
		ManagedChannel channel = this.loopback.channel(server, this.interrupting, "shop");
		Loopback.warmUp(channel);
		Random random = new Random(SEED);
		for (int i = 0; i < CALLS; i++) {
			CountDownLatch closed = new CountDownLatch(1);
			ClientCall<String, String> call = channel.newCall(Shop.UNARY, Loopback.within(20_000));
			call.start(new ClientCall.Listener<>() {

				@Override
				public void onClose(Status status, Metadata trailers) {
					closed.countDown();
				}

			}, new Metadata());
			call.request(2);
			call.sendMessage("x");
			call.halfClose();
			assertThat(begun.poll(20, TimeUnit.SECONDS)).isNotNull();
			spin(new AtomicInteger(), random.nextInt(400));
			call.cancel("random", null);
			pass(closed);
		}
		two.shutdown();
		assertThat(two.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
		assertThat(leaks).isEmpty();
		assertThat(interrupted.get()).as("interrupts that hit").isGreaterThan(CALLS / 100);
		assertThat(tasks.get()).isGreaterThan(CALLS / 100);
		Measured.note(String.format("interrupts: %d of %d calls were hit in their handler or task, none leaked",
				interrupted.get(), CALLS));
	}

	/** Works, and looks for an interrupt; does not use it up each time. */
	private static void spin(AtomicInteger interrupted, int micros) {
		long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(micros);
		while (System.nanoTime() < end) {
			if (Thread.currentThread().isInterrupted()) {
				interrupted.incrementAndGet();
				if (end % 2 == 0) {
					Thread.interrupted();
				}
				return;
			}
			Thread.onSpinWait();
		}
	}

	@Test
	void interruptsOfTasksNeverLeak() throws Exception {
		Queue<String> leaks = new ConcurrentLinkedQueue<>();
		ThreadPoolExecutor one = new WatchedThreads(1, leaks);
		ExecutorService wrapped = this.interrupting.work().executor(one);
		AtomicInteger interrupted = new AtomicInteger();
		AtomicInteger ran = new AtomicInteger();
		ExecutorService cancellers = Executors.newFixedThreadPool(2);
		Random random = new Random(SEED);
		for (int i = 0; i < 20_000; i++) {
			TestCall call = TestCall.beginInterruptible();
			Future<?> future = call.call(() -> wrapped.submit(() -> {
				ran.incrementAndGet();
				spin(interrupted, 10);
			}));
			long spins = random.nextInt(30_000);
			Future<?> cancel = cancellers.submit(() -> {
				long end = System.nanoTime() + spins;
				while (System.nanoTime() < end) {
					Thread.onSpinWait();
				}
				call.abandon();
			});
			one.submit(() -> 7).get(20, TimeUnit.SECONDS);
			cancel.get(20, TimeUnit.SECONDS);
			assertThat(catchThrowable(() -> future.get(20, TimeUnit.SECONDS)) == null)
				.isNotEqualTo(future.isCancelled());
			assertThat(call.listeners()).isZero();
		}
		cancellers.shutdownNow();
		wrapped.shutdownNow();
		assertThat(leaks).isEmpty();
		assertThat(interrupted.get()).as("interrupts that hit").isPositive();
		assertThat(ran.get()).isPositive();
	}

	/**
	 * Looks after each task, since the pool itself takes interrupts back before the next.
	 */
	private static final class WatchedThreads extends ThreadPoolExecutor {

		private final Queue<String> leaks;

		WatchedThreads(int threads, Queue<String> leaks) {
			super(threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
			this.leaks = leaks;
		}

		@Override
		protected void afterExecute(Runnable task, Throwable thrown) {
			if (Thread.currentThread().isInterrupted() && !isShutdown()) {
				this.leaks.add("interrupt");
			}
			if (Context.current() != Context.ROOT) {
				this.leaks.add("Context");
			}
		}

	}

}
