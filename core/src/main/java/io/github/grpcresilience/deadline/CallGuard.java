package io.github.grpcresilience.deadline;

import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

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
		GuardedCall<ReqT, RespT> guarded = new GuardedCall<>(call, (state != null) ? state : new Object());
		try {
			return new GuardedListener<>(next.startCall(guarded, headers), guarded);
		}
		catch (RuntimeException | Error ex) {
			guarded.closeAfter(Status.fromThrowable(ex));
			throw ex;
		}
	}

	private static final class GuardedCall<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {

		private final Object lock;

		/** Guarded by the lock. */
		private boolean closed;

		GuardedCall(ServerCall<ReqT, RespT> call, Object lock) {
			super(call);
			this.lock = lock;
		}

		@Override
		public void sendHeaders(Metadata headers) {
			synchronized (this.lock) {
				if (!this.closed) {
					super.sendHeaders(headers);
				}
			}
		}

		@Override
		public void sendMessage(RespT message) {
			synchronized (this.lock) {
				if (!this.closed) {
					super.sendMessage(message);
				}
			}
		}

		@Override
		public void close(Status status, Metadata trailers) {
			synchronized (this.lock) {
				if (!this.closed) {
					this.closed = true;
					super.close(status, trailers);
				}
			}
		}

		/**
		 * Closes as grpc-java does after an exception. It would close the stream itself,
		 * outside the lock; once this has closed, that does nothing.
		 */
		void closeAfter(Status status) {
			close(status, new Metadata());
		}

	}

	private static final class GuardedListener<ReqT> extends SimpleForwardingServerCallListener<ReqT> {

		private static final String APPLICATION_ERROR = "Application error processing RPC";

		private final GuardedCall<ReqT, ?> call;

		GuardedListener(ServerCall.Listener<ReqT> listener, GuardedCall<ReqT, ?> call) {
			super(listener);
			this.call = call;
		}

		@Override
		public void onMessage(ReqT message) {
			try {
				super.onMessage(message);
			}
			catch (RuntimeException | Error ex) {
				closeAfter(ex);
				throw ex;
			}
		}

		@Override
		public void onHalfClose() {
			try {
				super.onHalfClose();
			}
			catch (RuntimeException | Error ex) {
				closeAfter(ex);
				throw ex;
			}
		}

		@Override
		public void onReady() {
			try {
				super.onReady();
			}
			catch (RuntimeException | Error ex) {
				closeAfter(ex);
				throw ex;
			}
		}

		private void closeAfter(Throwable thrown) {
			this.call.closeAfter(Status.UNKNOWN.withDescription(APPLICATION_ERROR).withCause(thrown));
		}

	}

}
