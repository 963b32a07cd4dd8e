package io.github.grpcresilience.deadline;

import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

import io.github.grpcresilience.method.KnownMethods;

/**
 * Outermost on the server: a {@link ServerCall} is not safe for concurrent use, and we
 * answer calls while their handlers still run. So sending and closing go through one lock
 * per call, the first close wins, and what comes after it is dropped.
 */
final class CallGuard implements ServerInterceptor {

	private final KnownMethods methods;

	CallGuard(KnownMethods methods) {
		this.methods = methods;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		if (this.methods.of(call.getMethodDescriptor()).policy().exempt()) {
			return next.startCall(call, headers);
		}
		ServerCallState state = ServerCallState.find(Context.current());
		if (state == null) {
			// Without a state the server has no arrival tracer: it is not one of ours.
			return next.startCall(call, headers);
		}
		GuardedCall<ReqT, RespT> guarded = new GuardedCall<>(call, state);
		state.inCallback(true);
		try {
			return new GuardedListener<>(next.startCall(guarded, headers), guarded);
		}
		catch (RuntimeException | Error ex) {
			guarded.close(Status.fromThrowable(ex), new Metadata());
			throw ex;
		}
		finally {
			state.inCallback(false);
		}
	}

	/**
	 * What a handler gets that goes on to send in a callback when nobody listens any
	 * more: it cannot be told in another way.
	 */
	static StatusRuntimeException over() {
		return Status.CANCELLED.withDescription("the call is over: nobody receives this message").asRuntimeException();
	}

	private static final class GuardedCall<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {

		private static final String APPLICATION_ERROR = "Application error processing RPC";

		/** Its monitor is the lock. */
		private final ServerCallState state;

		/** Written under the lock. */
		private volatile boolean closed;

		GuardedCall(ServerCall<ReqT, RespT> call, ServerCallState state) {
			super(call);
			this.state = state;
		}

		@Override
		public void sendHeaders(Metadata headers) {
			synchronized (this.state) {
				if (!this.closed) {
					super.sendHeaders(headers);
				}
			}
		}

		@Override
		public void sendMessage(RespT message) {
			MethodType type = getMethodDescriptor().getType();
			boolean stop;
			synchronized (this.state) {
				// grpc-java wants the message of a call that has one, even if it is late.
				if (!this.closed && (type.serverSendsOneMessage() || !this.state.hasEnded())) {
					super.sendMessage(message);
					return;
				}
				stop = isAbandoned() && this.state.drop(type);
			}
			if (stop) {
				throw over();
			}
		}

		@Override
		public void close(Status status, Metadata trailers) {
			synchronized (this.state) {
				if (!this.closed) {
					this.closed = true;
					super.close(status, trailers);
				}
			}
		}

		/**
		 * Whether the call ended without an answer.
		 */
		private boolean isAbandoned() {
			return !this.closed && this.state.hasEnded();
		}

		@Override
		public boolean isCancelled() {
			return isAbandoned() || super.isCancelled();
		}

		@Override
		public boolean isReady() {
			return !isAbandoned() && super.isReady();
		}

		/**
		 * Closes after an exception, as grpc-java does. It would close the stream itself,
		 * outside the lock; once this has closed, that does nothing.
		 * @return whether the exception says no more than that the call is over, which
		 * nobody needs to read in a log
		 */
		boolean closeAfter(Throwable thrown) {
			Status status = Status.fromThrowable(thrown);
			Metadata trailers = Status.trailersFromThrowable(thrown);
			if (status.getCode() == Status.Code.CANCELLED || status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
				close(status, (trailers != null) ? trailers : new Metadata());
				return true;
			}
			close(Status.UNKNOWN.withDescription(APPLICATION_ERROR).withCause(thrown), new Metadata());
			return false;
		}

	}

	private static final class GuardedListener<ReqT> extends SimpleForwardingServerCallListener<ReqT> {

		private final GuardedCall<ReqT, ?> call;

		GuardedListener(ServerCall.Listener<ReqT> listener, GuardedCall<ReqT, ?> call) {
			super(listener);
			this.call = call;
		}

		@Override
		public void onMessage(ReqT message) {
			this.call.state.inCallback(true);
			try {
				super.onMessage(message);
			}
			catch (RuntimeException | Error ex) {
				if (!this.call.closeAfter(ex)) {
					throw ex;
				}
			}
			finally {
				this.call.state.inCallback(false);
			}
		}

		@Override
		public void onHalfClose() {
			this.call.state.inCallback(true);
			try {
				super.onHalfClose();
			}
			catch (RuntimeException | Error ex) {
				if (!this.call.closeAfter(ex)) {
					throw ex;
				}
			}
			finally {
				this.call.state.inCallback(false);
			}
		}

		@Override
		public void onReady() {
			this.call.state.inCallback(true);
			try {
				super.onReady();
			}
			catch (RuntimeException | Error ex) {
				if (!this.call.closeAfter(ex)) {
					throw ex;
				}
			}
			finally {
				this.call.state.inCallback(false);
			}
		}

	}

}
