package io.github.grpcresilience.benchmarks.floor;

import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * A served call that is answered before its deadline, by its handler or for it. What
 * comes after the answer is dropped. It is its own timeout and its own lock.
 */
final class WatchedCall<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> implements Watch.Entry {

	private final Context.CancellableContext context;

	private final long dueNanos;

	/** Written under the lock. */
	private volatile boolean over;

	private Watch.@Nullable Entry next;

	WatchedCall(ServerCall<ReqT, RespT> call, Context.CancellableContext context, long dueNanos) {
		super(call);
		this.context = context;
		this.dueNanos = dueNanos;
	}

	@Override
	public synchronized void sendHeaders(Metadata headers) {
		if (!this.over) {
			super.sendHeaders(headers);
		}
	}

	@Override
	public synchronized void sendMessage(RespT message) {
		if (!this.over) {
			super.sendMessage(message);
		}
	}

	@Override
	public synchronized void close(Status status, Metadata trailers) {
		if (!this.over) {
			this.over = true;
			super.close(status, trailers);
		}
	}

	@Override
	public void expire() {
		Status status = Status.DEADLINE_EXCEEDED.withDescription("the call's time is up");
		Metadata trailers = new Metadata();
		Details.put(trailers, status, getMethodDescriptor().getFullMethodName());
		synchronized (this) {
			if (this.over) {
				return;
			}
			this.over = true;
			super.close(status, trailers);
		}
		this.context.cancel(new TimeoutException("the call's time is up"));
	}

	/**
	 * The caller left.
	 */
	void left() {
		this.over = true;
		this.context.cancel((this.dueNanos - System.nanoTime() <= 0) ? new TimeoutException("the call's time is up")
				: Status.CANCELLED.withDescription("the caller left").asRuntimeException());
	}

	@Override
	public boolean isOver() {
		return this.over;
	}

	@Override
	public long dueNanos() {
		return this.dueNanos;
	}

	@Override
	public Watch.@Nullable Entry next() {
		return this.next;
	}

	@Override
	public void next(Watch.@Nullable Entry next) {
		this.next = next;
	}

}
