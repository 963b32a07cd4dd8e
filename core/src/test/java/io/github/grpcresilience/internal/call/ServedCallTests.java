package io.github.grpcresilience.internal.call;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.method.ServedMethods;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Who closes a call, and what of it ends then, without a server.
 */
class ServedCallTests {

	private final ServedMethods methods = Policies.server().served();

	private final List<Status> sent = new ArrayList<>();

	private ServedCall arrive() {
		return new ServedCall(Deadline.getSystemTicker(), this.methods.of(Shop.UNARY), false, Runnable::run);
	}

	private PolicyCall<String, String> handle(ServedCall served, CancellableContext context) {
		return new PolicyCall<>(new Network(this.sent), served, new Metadata(),
				(call, spentBy, trailers) -> Status.DEADLINE_EXCEEDED, new NoFailures(), context);
	}

	@Test
	void firstOfHandlerAndDeadlineCloses() {
		ServedCall byHandler = arrive();
		PolicyCall<String, String> call = handle(byHandler, null);
		call.close(Status.OK, new Metadata());
		call.run();
		assertThat(this.sent).containsExactly(Status.OK);
		assertThat(byHandler.isClosedByUs()).isFalse();
		this.sent.clear();
		ServedCall byDeadline = arrive();
		call = handle(byDeadline, null);
		call.run();
		call.close(Status.OK, new Metadata());
		call.sendMessage("late");
		assertThat(this.sent).containsExactly(Status.DEADLINE_EXCEEDED);
		assertThat(byDeadline.isClosedByUs()).isTrue();
		assertThat(byDeadline.record().isTimedOut()).isTrue();
	}

	@Test
	void deadlineThatClosesSaysWhyTheContextEnds() {
		CancellableContext context = Context.ROOT.withCancellation();
		handle(arrive(), context).run();
		assertThat(context.cancellationCause()).isInstanceOf(TimeoutException.class);
	}

	@Test
	void callerThatLeavesEndsTheWork() {
		ServedCall served = arrive();
		CancellableContext context = Context.ROOT.withCancellation();
		handle(served, context);
		served.started(CallRecord.UNLIMITED);
		served.streamClosed(Status.CANCELLED);
		assertThat(context.isCancelled()).isTrue();
		assertThat(served.record().hasEnded()).isTrue();
		assertThat(served.record().isTimedOut()).isFalse();
		assertThat(this.methods.of(Shop.UNARY).counts().inFlight()).isZero();
	}

	@Test
	void endIsCountedOnceWhateverComesFirst() {
		ServedCall early = arrive();
		early.streamClosed(Status.CANCELLED);
		early.started(CallRecord.UNLIMITED);
		ServedCall late = arrive();
		late.started(CallRecord.UNLIMITED);
		late.streamClosed(Status.OK);
		assertThat(this.methods.of(Shop.UNARY).counts().byCode()).containsOnly(Map.entry(Status.Code.OK, 1L),
				Map.entry(Status.Code.CANCELLED, 1L));
	}

	@Test
	void contextOfCallThatEndsWhileItIsPublishedIsCancelled() throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(2);
		CyclicBarrier barrier = new CyclicBarrier(2);
		try {
			for (int i = 0; i < 20_000; i++) {
				ServedCall served = arrive();
				CancellableContext context = Context.ROOT.withCancellation();
				Future<?> transport = threads.submit(() -> {
					barrier.await(10, TimeUnit.SECONDS);
					served.streamClosed(Status.CANCELLED);
					return null;
				});
				Future<?> call = threads.submit(() -> {
					barrier.await(10, TimeUnit.SECONDS);
					handle(served, context);
					return null;
				});
				transport.get(10, TimeUnit.SECONDS);
				call.get(10, TimeUnit.SECONDS);
				assertThat(context.isCancelled()).isTrue();
			}
		}
		finally {
			threads.shutdownNow();
		}
	}

	private static final class NoFailures implements HandlerFailures {

		@Override
		public void close(PolicyCall<?, ?> call, Status status, Metadata trailers) {
			call.pass(status, trailers);
		}

		@Override
		public void failed(PolicyCall<?, ?> call, Throwable thrown) {
			throw new AssertionError(thrown);
		}

		@Override
		public boolean passes(PolicyCall<?, ?> call, Object message) {
			return true;
		}

		@Override
		public void load() {
			// There is nothing to load.
		}

	}

	private static final class Network extends ServerCall<String, String> {

		private final List<Status> sent;

		Network(List<Status> sent) {
			this.sent = sent;
		}

		@Override
		public void request(int numMessages) {
			// Nobody sends.
		}

		@Override
		public void sendHeaders(Metadata headers) {
			// Not looked at.
		}

		@Override
		public void sendMessage(String message) {
			throw new AssertionError(message);
		}

		@Override
		public void close(Status status, Metadata trailers) {
			this.sent.add(status);
		}

		@Override
		public boolean isCancelled() {
			return false;
		}

		@Override
		public MethodDescriptor<String, String> getMethodDescriptor() {
			return Shop.UNARY;
		}

	}

}
