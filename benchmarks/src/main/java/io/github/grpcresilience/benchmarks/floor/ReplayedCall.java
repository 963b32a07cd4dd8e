package io.github.grpcresilience.benchmarks.floor;

import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * A call of up to three attempts, each of which sends the one request that was recorded.
 * It is the listener of none but its current attempt.
 */
final class ReplayedCall<ReqT, RespT> extends ClientCall<ReqT, RespT> {

	private static final int ATTEMPTS = 3;

	private static final long BACKOFF_MILLIS = 50;

	private final MethodDescriptor<ReqT, RespT> method;

	private final CallOptions options;

	private final Channel channel;

	private final FloorRetryInterceptor policy;

	private ClientCall<ReqT, RespT> attempt;

	private @Nullable Listener<RespT> listener;

	private @Nullable Metadata headers;

	private @Nullable ReqT request;

	private int requested;

	private int failures;

	private boolean halfClosed;

	private @Nullable Status cancelled;

	private @Nullable Future<?> waiting;

	ReplayedCall(MethodDescriptor<ReqT, RespT> method, CallOptions options, Channel channel,
			FloorRetryInterceptor policy) {
		this.method = method;
		this.options = options;
		this.channel = channel;
		this.policy = policy;
		this.attempt = channel.newCall(method, options);
	}

	@Override
	public synchronized void start(Listener<RespT> listener, Metadata headers) {
		this.listener = listener;
		this.headers = headers;
		this.attempt.start(new Attempt(listener), copy(headers));
	}

	private static Metadata copy(Metadata headers) {
		Metadata copy = new Metadata();
		copy.merge(headers);
		return copy;
	}

	@Override
	public synchronized void request(int messages) {
		this.requested += messages;
		this.attempt.request(messages);
	}

	@Override
	public synchronized void sendMessage(ReqT message) {
		this.request = message;
		this.attempt.sendMessage(message);
	}

	@Override
	public synchronized void halfClose() {
		this.halfClosed = true;
		this.attempt.halfClose();
	}

	@Override
	public synchronized void cancel(@Nullable String message, @Nullable Throwable cause) {
		this.cancelled = Status.CANCELLED.withDescription(message).withCause(cause);
		this.attempt.cancel(message, cause);
		if (this.waiting != null && this.waiting.cancel(false)) {
			this.policy.timer().execute(this::next);
		}
	}

	private boolean again(Status status) {
		if (status.getCode() != Status.Code.UNAVAILABLE || ++this.failures == ATTEMPTS || !this.policy.mayRetry()) {
			return false;
		}
		long backoff = ThreadLocalRandom.current().nextLong(BACKOFF_MILLIS << this.failures);
		Deadline deadline = this.options.getDeadline();
		if (deadline != null && deadline.timeRemaining(TimeUnit.MILLISECONDS) <= backoff) {
			return false;
		}
		synchronized (this) {
			this.waiting = this.policy.timer().schedule(this::next, backoff, TimeUnit.MILLISECONDS);
		}
		return true;
	}

	private void next() {
		Listener<RespT> listener = this.listener;
		Metadata headers = this.headers;
		ReqT request = this.request;
		if (listener == null || headers == null) {
			throw new IllegalStateException("not started");
		}
		Status cancelled;
		synchronized (this) {
			cancelled = this.cancelled;
			if (cancelled == null) {
				this.attempt = this.channel.newCall(this.method, this.options);
				this.attempt.start(new Attempt(listener), copy(headers));
				this.attempt.request(this.requested);
				if (request != null) {
					this.attempt.sendMessage(request);
				}
				if (this.halfClosed) {
					this.attempt.halfClose();
				}
			}
		}
		if (cancelled != null) {
			listener.onClose(cancelled, new Metadata());
		}
	}

	private final class Attempt extends Listener<RespT> {

		private final Listener<RespT> listener;

		private boolean answered;

		Attempt(Listener<RespT> listener) {
			this.listener = listener;
		}

		@Override
		public void onHeaders(Metadata headers) {
			this.answered = true;
			this.listener.onHeaders(headers);
		}

		@Override
		public void onMessage(RespT message) {
			this.answered = true;
			this.listener.onMessage(message);
		}

		@Override
		public void onReady() {
			this.listener.onReady();
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			if (status.isOk()) {
				ReplayedCall.this.policy.succeeded();
			}
			else if (!this.answered && again(status)) {
				return;
			}
			this.listener.onClose(status, trailers);
		}

	}

}
