package io.github.grpcresilience.benchmarks.floor;

import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.time.UntimedScheduler;

/**
 * Answers calls before their deadline, and shortens it to what the server allows.
 */
final class FloorServerInterceptor implements ServerInterceptor {

	private static final long MARGIN_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

	private final Watch watch;

	private final long maxNanos;

	FloorServerInterceptor(Watch watch, long maxNanos) {
		this.watch = watch;
		this.maxNanos = maxNanos;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		Context outer = Context.current();
		long budget = budgetNanos(outer.getDeadline());
		if (budget == Long.MAX_VALUE) {
			return next.startCall(call, headers);
		}
		Context.CancellableContext context = (budget == this.maxNanos)
				? outer.withDeadlineAfter(budget, TimeUnit.NANOSECONDS, UntimedScheduler.INSTANCE)
				: outer.withCancellation();
		WatchedCall<ReqT, RespT> watched = new WatchedCall<>(call, context,
				System.nanoTime() + budget - Math.min(MARGIN_NANOS, budget / 10));
		this.watch.add(watched);
		Context previous = context.attach();
		try {
			return new WatchedListener<>(next.startCall(watched, headers), watched, context);
		}
		finally {
			context.detach(previous);
		}
	}

	private long budgetNanos(@Nullable Deadline sent) {
		return (sent != null) ? Math.min(sent.timeRemaining(TimeUnit.NANOSECONDS), this.maxNanos) : this.maxNanos;
	}

}
