package io.github.grpcresilience.internal.deadline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.Side;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Several applications in a row, each with its own instance, server and connections.
 */
class BudgetChainTests {

	private final Loopback loopback = new Loopback();

	private final CountDownLatch release = new CountDownLatch(1);

	private final List<Long> budgets = Collections.synchronizedList(new ArrayList<>());

	/**
	 * Far apart, with half held back from each next hop and a tenth to answer in: the
	 * deepest hop's answer comes first however slow the machine is.
	 */
	private Map<String, Duration> longest = Map.of("orders", Duration.ofMillis(1577), "pricing", Duration.ofMillis(777),
			"inventory", Duration.ofMillis(177));

	private final List<GrpcResilience> applications = new ArrayList<>();

	@AfterEach
	void end() {
		this.release.countDown();
		this.loopback.close();
	}

	@Test
	void everyHopIsGivenLessThanTheOneBefore() {
		this.longest = Map.of();
		Server inventory = hop("inventory", new Shop().unary((request, observer) -> {
			noteBudget();
			Shop.echo(request, observer);
		}));
		Server pricing = hop("pricing", inventory, Relay.ESCAPING);
		Server orders = hop("orders", pricing, Relay.ESCAPING);
		assertThat(Loopback.call(gateway(orders), Loopback.within(9070), "x")).isEqualTo("x");
		assertThat(this.budgets).hasSize(3);
		assertThat(this.budgets.get(0)).isLessThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(9070));
		assertThat(this.budgets.get(1)).isLessThanOrEqualTo(this.budgets.get(0) / 2);
		assertThat(this.budgets.get(2)).isLessThanOrEqualTo(this.budgets.get(1) / 2);
	}

	@ParameterizedTest
	@EnumSource
	void callerIsToldOnceWhichHopSpentTheBudget(Relay relay) {
		Server orders = hop("orders", blockedInventory(), relay);
		ErrorInfo info = exceeded(gateway(orders));
		assertThat(info.getReason()).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(info.getDomain()).isEqualTo("grpc-resilience");
		assertThat(info.getMetadataMap()).containsEntry("service", "orders")
			.containsEntry("method", "test.v1.Shop/Unary")
			.containsEntry("side", "server")
			.containsEntry("spent_by_service", "inventory")
			.containsEntry("spent_by_method", "test.v1.Shop/Unary")
			.containsOnlyKeys("service", "method", "side", "budget_ms", "queue_ms", "elapsed_ms", "spent_by_service",
					"spent_by_method", "spent_by_budget_ms");
		assertThat(info.getMetadataMap()).containsEntry("budget_ms", "1577").containsEntry("spent_by_budget_ms", "177");
		everyCallEnds();
	}

	@ParameterizedTest
	@EnumSource
	void callerIsToldTheDeepestOfFourHops(Relay relay) {
		Server pricing = hop("pricing", blockedInventory(), relay);
		Server orders = hop("orders", pricing, relay);
		ErrorInfo info = exceeded(gateway(orders));
		assertThat(info.getMetadataMap()).containsEntry("service", "orders")
			.containsEntry("spent_by_service", "inventory");
		everyCallEnds();
	}

	@ParameterizedTest
	@EnumSource
	void peerWithoutThisLibraryIsNamedByTheClientThatCalledIt(Relay relay) {
		Server legacy = this.loopback.servePlain(blocked(), (builder) -> {
		});
		Server orders = hop("orders", legacy, relay);
		assertThat(exceeded(gateway(orders)).getMetadataMap()).containsEntry("service", "orders")
			.containsEntry("spent_by_service", "next")
			.containsEntry("spent_by_method", "test.v1.Shop/Unary");
		everyCallEnds();
	}

	@Test
	void hopThatSpentItsOwnBudgetNamesNobody() {
		Server inventory = hop("inventory", new Shop());
		Channel next = client("orders", inventory);
		Server orders = hop("orders", new Shop().unary((request, observer) -> {
			Loopback.call(next, CallOptions.DEFAULT, request);
			block();
		}));
		assertThat(exceeded(gateway(orders)).getMetadataMap()).containsEntry("service", "orders")
			.doesNotContainKey("spent_by_service");
	}

	@Test
	void otherFailuresOfAHopPassAsTheHandlerPutsThem() {
		Server inventory = hop("inventory", new Shop().unary((request, observer) -> observer
			.onError(Status.NOT_FOUND.withDescription("no such sku").asRuntimeException())));
		Server orders = hop("orders", inventory, Relay.ON_ERROR);
		assertThat(catchThrowable(() -> Loopback.call(gateway(orders), Loopback.within(9000), "x")))
			.hasMessage("NOT_FOUND: no such sku");
	}

	@Test
	void leavingCallerStopsTheLastHop() throws Exception {
		this.longest = Map.of();
		CompletableFuture<Throwable> stopped = new CompletableFuture<>();
		CountDownLatch reached = new CountDownLatch(1);
		Server inventory = hop("inventory", untilCancelled(stopped, reached));
		Server pricing = hop("pricing", inventory, Relay.ON_ERROR);
		Server orders = hop("orders", pricing, Relay.ON_ERROR);
		ListenableFuture<String> call = ClientCalls
			.futureUnaryCall(gateway(orders).newCall(Shop.UNARY, Loopback.within(20_000)), "x");
		assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
		assertThat(stopped).isNotDone();
		call.cancel(true);
		stopped.orTimeout(10, TimeUnit.SECONDS).join();
		everyCallEnds();
	}

	@Test
	void leavingCallerStopsEveryBranch() throws Exception {
		this.longest = Map.of();
		CompletableFuture<Throwable> left = new CompletableFuture<>();
		CompletableFuture<Throwable> right = new CompletableFuture<>();
		CountDownLatch reached = new CountDownLatch(2);
		Channel inventory = client("orders", hop("inventory", untilCancelled(left, reached)));
		Channel pricing = client("orders", hop("pricing", untilCancelled(right, reached)));
		Server orders = hop("orders", new Shop().unary((request, observer) -> {
			Both both = new Both(observer);
			ask(inventory, request, both);
			ask(pricing, request, both);
		}));
		ListenableFuture<String> call = ClientCalls
			.futureUnaryCall(gateway(orders).newCall(Shop.UNARY, Loopback.within(20_000)), "x");
		assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
		call.cancel(true);
		left.orTimeout(10, TimeUnit.SECONDS).join();
		right.orTimeout(10, TimeUnit.SECONDS).join();
		everyCallEnds();
	}

	@Test
	void slowBranchOfAFanOutIsNamedAndTheQuickOneIsNot() {
		Server blocked = blockedInventory();
		Channel inventory = client("orders", blocked);
		Channel pricing = client("orders", hop("pricing", new Shop().unary((request, observer) -> {
			noteBudget();
			Shop.echo(request, observer);
		})));
		Server orders = hop("orders", new Shop().unary((request, observer) -> {
			noteBudget();
			Both both = new Both(observer);
			ask(inventory, request, both);
			ask(pricing, request, both);
		}));
		assertThat(exceeded(gateway(orders)).getMetadataMap()).containsEntry("service", "orders")
			.containsEntry("spent_by_service", "inventory");
		assertThat(this.budgets).hasSize(3);
		long own = this.budgets.get(0);
		assertThat(this.budgets.subList(1, 3)).allMatch((branch) -> branch <= own / 2);
		everyCallEnds();
	}

	@Test
	void exhaustedBudgetOfAHopIsItsOwnAnswer() {
		Server inventory = hop("inventory", new Shop());
		Channel next = client("orders", inventory);
		CompletableFuture<String> reason = new CompletableFuture<>();
		Server orders = hop("orders", new Shop().unary((request, observer) -> {
			untilCancelled();
			try {
				observer.onNext(Loopback.call(next, CallOptions.DEFAULT, request));
			}
			catch (StatusRuntimeException ex) {
				reason.complete(Loopback.errorInfo(ex).getReason());
				throw ex;
			}
		}));
		assertThat(exceeded(gateway(orders)).getMetadataMap()).containsEntry("service", "orders");
		assertThat(reason.orTimeout(10, TimeUnit.SECONDS).join()).isEqualTo("BUDGET_EXHAUSTED");
	}

	private static ErrorInfo exceeded(Channel gateway) {
		Throwable thrown = catchThrowable(() -> Loopback.call(gateway, Loopback.within(20_000), "x"));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		return Loopback.errorInfo(thrown);
	}

	private void everyCallEnds() {
		this.release.countDown();
		await().untilAsserted(() -> assertThat(this.applications).allSatisfy((application) -> {
			assertThat(application.inspection().servedMethods()).allMatch((method) -> method.counts().inFlight() == 0);
			assertThat(application.inspection().calledMethods()).allMatch((method) -> method.counts().inFlight() == 0);
			assertThat(application.inspection().pendingTimeouts()).isZero();
		}));
	}

	private Server hop(String name, Shop shop) {
		GrpcResilience application = application(name);
		return this.loopback.serve(application, shop);
	}

	private Server hop(String name, Server next, Relay relay) {
		GrpcResilience application = application(name);
		Channel channel = Calls.warm(this.loopback.channel(next, application, "next"));
		return this.loopback.serve(application, new Shop().unary((request, observer) -> {
			noteBudget();
			relay.pass(channel, request, observer);
		}));
	}

	private Channel gateway(Server next) {
		return client("gateway", next);
	}

	private Channel client(String name, Server next) {
		GrpcResilience application = application(name);
		return Calls.warm(this.loopback.channel(next, application, "next"));
	}

	private GrpcResilience application(String name) {
		DeadlineSettings.AllowanceKeys margin = DeadlineSettings.allowance(Side.SERVER);
		DeadlineSettings.AllowanceKeys reserve = DeadlineSettings.allowance(Side.CLIENT);
		GrpcResilience application = this.loopback.resilience(GrpcResilience.builder()
			.service(name)
			.policies(Policies.server()
				.section(margin.fraction(), 0.1)
				.section(margin.max(), Duration.ofSeconds(1))
				.section(DeadlineSettings.MAX, this.longest.getOrDefault(name, Duration.ofSeconds(30)))
				.define())
			.policies(Policies.client()
				.section(reserve.fraction(), 0.5)
				.section(reserve.max(), Duration.ofSeconds(20))
				.define()));
		this.applications.add(application);
		return application;
	}

	private Server blockedInventory() {
		return hop("inventory", blocked());
	}

	private Shop blocked() {
		return new Shop().unary((request, observer) -> {
			noteBudget();
			block();
		});
	}

	private static Shop untilCancelled(CompletableFuture<Throwable> stopped, CountDownLatch reached) {
		return new Shop().unary((request, observer) -> {
			Context.current().addListener((context) -> stopped.complete(context.cancellationCause()), Runnable::run);
			reached.countDown();
		});
	}

	private void noteBudget() {
		this.budgets.add(Budget.remaining().orElseThrow().toNanos());
	}

	private void block() {
		try {
			this.release.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void untilCancelled() {
		CountDownLatch cancelled = new CountDownLatch(1);
		Context.current().addListener((context) -> cancelled.countDown(), Runnable::run);
		try {
			cancelled.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void ask(Channel channel, String request, StreamObserver<String> observer) {
		ClientCalls.asyncUnaryCall(channel.newCall(Shop.UNARY, CallOptions.DEFAULT), request, observer);
	}

	/**
	 * How a handler passes on what the next hop answered.
	 */
	enum Relay {

		/** Without blocking. */
		ON_ERROR {

			@Override
			void pass(Channel next, String request, StreamObserver<String> observer) {
				ask(next, request, observer);
			}

		},

		/** The exception of a blocking stub leaves the handler. */
		ESCAPING {

			@Override
			void pass(Channel next, String request, StreamObserver<String> observer) {
				Shop.echo(Loopback.call(next, CallOptions.DEFAULT, request), observer);
			}

		},

		/** The exception leaves the handler as the cause of another one. */
		WRAPPED {

			@Override
			void pass(Channel next, String request, StreamObserver<String> observer) {
				try {
					Shop.echo(Loopback.call(next, CallOptions.DEFAULT, request), observer);
				}
				catch (StatusRuntimeException ex) {
					throw new IllegalStateException("checkout failed", new IllegalArgumentException(ex));
				}
			}

		},

		/** The handler hands over what wraps the exception. */
		WRAPPED_ON_ERROR {

			@Override
			void pass(Channel next, String request, StreamObserver<String> observer) {
				try {
					Shop.echo(Loopback.call(next, CallOptions.DEFAULT, request), observer);
				}
				catch (StatusRuntimeException ex) {
					observer.onError(new IllegalStateException("checkout failed", ex));
				}
			}

		},

		/** The handler goes on until its own deadline answers. */
		SWALLOWED {

			@Override
			void pass(Channel next, String request, StreamObserver<String> observer) {
				try {
					Shop.echo(Loopback.call(next, CallOptions.DEFAULT, request), observer);
				}
				catch (StatusRuntimeException ex) {
					untilCancelled();
				}
			}

		};

		abstract void pass(Channel next, String request, StreamObserver<String> observer);

	}

	/**
	 * Answers once both branches have, or with the first failure.
	 */
	private static final class Both implements StreamObserver<String> {

		private final StreamObserver<String> observer;

		private int left = 2;

		private boolean failed;

		Both(StreamObserver<String> observer) {
			this.observer = observer;
		}

		@Override
		public void onNext(String value) {
			// Only the end counts.
		}

		@Override
		public synchronized void onError(Throwable thrown) {
			if (!this.failed) {
				this.failed = true;
				this.observer.onError(thrown);
			}
		}

		@Override
		public synchronized void onCompleted() {
			this.left--;
			if (this.left == 0) {
				Shop.echo("both", this.observer);
			}
		}

	}

}
