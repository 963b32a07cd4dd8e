package io.github.grpcresilience;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.internal.call.ServedCall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

class DetachedTests {

	private static final Context.Key<String> TENANT = Context.key("tenant");

	private final ExecutorService executor = Executors.newSingleThreadExecutor();

	private final Loopback loopback = new Loopback();

	private final Context.CancellableContext call = Context.current().withValue(TENANT, "blue").withCancellation();

	@AfterEach
	void end() {
		this.loopback.close();
		this.executor.shutdownNow();
	}

	@Test
	void taskKeepsValuesAndOutlivesItsCall() throws Exception {
		CompletableFuture<Context> seen = new CompletableFuture<>();
		Runnable task = this.call.call(() -> Detached.task(Duration.ofSeconds(17), () -> {
			assertThat(Context.current().isCancelled()).isFalse();
			assertThat(TENANT.get()).isEqualTo("blue");
			assertThat(Budget.remaining().orElseThrow()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(17));
			assertThat(ServedCall.KEY.get()).isNull();
			seen.complete(Context.current());
		}));
		this.call.cancel(new IllegalStateException("the caller left"));
		this.executor.execute(task);
		Context context = seen.get(10, TimeUnit.SECONDS);
		await().until(context::isCancelled); // releases the timer of its deadline
		assertThat(context.cancellationCause()).isNull();
	}

	@Test
	void deadlineOfItsOwnCancelsIt() throws Exception {
		CompletableFuture<Throwable> cause = new CompletableFuture<>();
		Detached.run(Duration.ofMillis(70), () -> Context.current()
			.addListener((cancelled) -> cause.complete(cancelled.cancellationCause()), Runnable::run));
		assertThat(cause.get(10, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
	}

	@Test
	void callThatItBeginsGoesOnAfterTheAnswer() throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		CompletableFuture<Optional<Duration>> budget = new CompletableFuture<>();
		CompletableFuture<Void> answered = new CompletableFuture<>();
		CompletableFuture<String> background = new CompletableFuture<>();
		Server back = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			budget.complete(Budget.remaining());
			answered.orTimeout(10, TimeUnit.SECONDS).join();
			Shop.echo(request, observer);
		}));
		ManagedChannel toBack = this.loopback.channel(back, resilience, "back");
		Server front = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			Detached.run(Duration.ofSeconds(19), () -> Context.currentContextExecutor(this.executor)
				.execute(() -> background.complete(Loopback.call(toBack, Loopback.within(18_000), "later"))));
			Shop.echo(request, observer);
		}));
		Loopback.call(this.loopback.plainChannel(front), Loopback.within(3_000), "now");
		assertThat(budget.get(10, TimeUnit.SECONDS).orElseThrow()).isGreaterThan(Duration.ofSeconds(4));
		answered.complete(null);
		assertThat(background.get(10, TimeUnit.SECONDS)).isEqualTo("later");
	}

	@Test
	void budgetMustBePositive() {
		assertThatIllegalArgumentException().isThrownBy(() -> Detached.task(Duration.ZERO, () -> {
		})).withMessageContaining("budget must be positive");
	}

}
