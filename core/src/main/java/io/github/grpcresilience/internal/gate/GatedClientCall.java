package io.github.grpcresilience.internal.gate;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.AttemptGate.Permit;
import io.github.grpcresilience.internal.method.AttemptGate.Refusal;
import io.github.grpcresilience.internal.method.CalledMethod;

/**
 * An attempt that asks for leave when it is started, and says what became of it: a unary
 * one when it is closed, a stream when its first message comes.
 */
final class GatedClientCall<ReqT, RespT> extends ForwardingClientCall<ReqT, RespT> {

	private final CalledMethod method;

	private final AttemptGate gate;

	private final CallOptions options;

	private final Context context;

	private final Executor executor;

	/** Replaced by one that does nothing, if the attempt is refused. */
	private volatile ClientCall<ReqT, RespT> call;

	private volatile boolean timedOut;

	GatedClientCall(ClientCall<ReqT, RespT> call, CalledMethod method, AttemptGate gate, CallOptions options,
			Context context, Executor executor) {
		this.call = call;
		this.method = method;
		this.gate = gate;
		this.options = options;
		this.context = context;
		this.executor = executor;
	}

	@Override
	protected ClientCall<ReqT, RespT> delegate() {
		return this.call;
	}

	@Override
	public void start(Listener<RespT> listener, Metadata headers) {
		if (this.call instanceof UnsentClientCall) {
			throw new IllegalStateException("already started");
		}
		AttemptGate.Answer answer = this.gate.ask();
		if (answer instanceof Permit permit) {
			start(listener, headers, new HeldPermit(permit));
		}
		else {
			refuse(listener, (Refusal) answer);
		}
	}

	private void start(Listener<RespT> listener, Metadata headers, HeldPermit permit) {
		boolean started = false;
		try {
			super.start(new Recording(listener, permit), headers);
			started = true;
		}
		finally {
			if (!started) {
				permit.giveBack();
			}
		}
	}

	private void refuse(Listener<RespT> listener, Refusal refusal) {
		this.method.decided(refusal.reason(), true);
		ClientCall<ReqT, RespT> unsent = this.call;
		this.call = new UnsentClientCall<>();
		// What is never started has to be cancelled: the channel may hold on to it.
		unsent.cancel("refused", null);
		Metadata trailers = new Metadata();
		Status status = RefusedAttempt.describe(refusal, this.method, trailers);
		this.context.fixedContextExecutor(this.executor).execute(() -> listener.onClose(status, trailers));
	}

	@Override
	public void cancel(@Nullable String message, @Nullable Throwable cause) {
		if (cause instanceof TimeoutException) {
			this.timedOut = true;
		}
		super.cancel(message, cause);
	}

	/**
	 * What a status says about what is called (contract, point 17).
	 */
	private Consumer<Permit> outcomeOf(Status status) {
		return switch (status.getCode()) {
			case UNAVAILABLE, INTERNAL, UNKNOWN, DATA_LOSS -> (permit) -> permit.failed(status);
			case DEADLINE_EXCEEDED -> hadItsTime() ? (permit) -> permit.failed(status) : Permit::unknown;
			case CANCELLED -> this.timedOut ? (permit) -> permit.failed(status) : Permit::unknown;
			default -> Permit::succeeded;
		};
	}

	/**
	 * Whether it was its own deadline that the attempt exceeded, and not what the call
	 * that is being served had left, nor the end of that call.
	 */
	private boolean hadItsTime() {
		Deadline deadline = this.options.getDeadline();
		boolean over = deadline != null && deadline.isExpired();
		return !this.options.getOption(AttemptGate.DEADLINE_INHERITED) && (over || !this.context.isCancelled());
	}

	private final class Recording extends SimpleForwardingClientCallListener<RespT> {

		private final HeldPermit permit;

		Recording(Listener<RespT> listener, HeldPermit permit) {
			super(listener);
			this.permit = permit;
		}

		@Override
		public void onMessage(RespT message) {
			try {
				if (GatedClientCall.this.method.type() != MethodType.UNARY) {
					this.permit.tell(Permit::succeeded);
				}
			}
			finally {
				super.onMessage(message);
			}
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			try {
				this.permit.end(outcomeOf(status));
			}
			finally {
				super.onClose(status, trailers);
			}
		}

	}

}
