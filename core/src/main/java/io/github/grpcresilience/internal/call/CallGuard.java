package io.github.grpcresilience.internal.call;

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

import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.internal.status.TrailerGuard;

/**
 * Outermost on the server: a {@link ServerCall} is not safe for concurrent use, and we
 * answer calls while their handlers still run. So sending and closing go through one lock
 * per call, the first close wins, and what comes after it is dropped.
 */
public final class CallGuard implements ServerInterceptor {

	private final ServedMethods methods;

	private final TrailerGuard trailers;

	private final FailureAnswer answer;

	/**
	 * Creates the interceptor.
	 * @param methods methods of the server
	 * @param trailers what answers may carry
	 * @param answer answers what interceptors outside of our policy throw
	 */
	public CallGuard(ServedMethods methods, TrailerGuard trailers, FailureAnswer answer) {
		this.methods = methods;
		this.trailers = trailers;
		this.answer = answer;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		ServedCall served = ServedCall.find(Context.current(), this.methods, call.getMethodDescriptor());
		if (served == null) {
			return next.startCall(call, headers);
		}
		GuardedCall<ReqT, RespT> guarded = new GuardedCall<>(call, served, headers, this);
		served.inCallback(true);
		try {
			return new GuardedListener<>(next.startCall(guarded, headers), guarded, served);
		}
		catch (Throwable ex) {
			if (!guarded.closeAfter(ex)) {
				throw ex;
			}
			return new ServerCall.Listener<>() {
			};
		}
		finally {
			served.inCallback(false);
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

		/** Its monitor is the lock. */
		private final ServedCall served;

		private final Metadata headers;

		private final CallGuard guard;

		GuardedCall(ServerCall<ReqT, RespT> call, ServedCall served, Metadata headers, CallGuard guard) {
			super(call);
			this.served = served;
			this.headers = headers;
			this.guard = guard;
			served.guardedAs(this);
		}

		@Override
		public void sendHeaders(Metadata headers) {
			synchronized (this.served) {
				if (!this.served.isSent()) {
					super.sendHeaders(headers);
				}
			}
		}

		@Override
		public void sendMessage(RespT message) {
			if (this.served.isSentBy(Thread.currentThread())) {
				passOrDrop(message); // under the lock already
				return;
			}
			synchronized (this.served) {
				passOrDrop(message);
			}
		}

		/** Under the lock. */
		@SuppressWarnings("GuardedBy") // which one of two callers entered further in
		private void passOrDrop(RespT message) {
			MethodType type = getMethodDescriptor().getType();
			// grpc-java wants the message of a call that has one, even if it is late.
			if (!this.served.isSent() && (type.serverSendsOneMessage() || !this.served.hasEnded())) {
				super.sendMessage(message);
			}
			else if (this.served.isAbandoned() && this.served.drop(type)) {
				throw over();
			}
		}

		@Override
		public void close(Status status, Metadata trailers) {
			if (status.isOk()) {
				closeFirst(status, trailers);
			}
			else if (this.served.isAbandoned()) {
				closeFirst(status, new Metadata());
			}
			else if (!this.served.isSent()) {
				try {
					closeAsError(status, trailers);
				}
				catch (Throwable ex) {
					// Whatever went wrong on the way, a caller gets an answer.
					closeFirst(Status.INTERNAL, new Metadata());
					throw ex;
				}
			}
		}

		private void closeAsError(Status status, Metadata trailers) {
			Throwable cause = status.getCause();
			if (cause == null || StatusDetails.isPresent(trailers) || !isMadeOfException(status)) {
				closeTrimmed(status, trailers);
				return;
			}
			// It went past our policy: thrown by an interceptor outside of it.
			Metadata own = new Metadata();
			Status answer = this.guard.answer.answer(cause, this.served.record(), this.served.method(), this.headers,
					own);
			boolean says = answer.getCode() == status.getCode() && status.getDescription() != null;
			closeTrimmed(says ? answer.withDescription(status.getDescription()) : answer, own);
		}

		private static boolean isMadeOfException(Status status) {
			return status.getCode() == Status.Code.INTERNAL
					|| (status.getCode() == Status.Code.UNKNOWN && status.getDescription() == null);
		}

		private void closeTrimmed(Status status, Metadata trailers) {
			TrailerGuard.Answer shorter = this.guard.trailers.trim(status, trailers);
			if (shorter == null) {
				closeFirst(status, trailers);
			}
			else if (closeFirst(shorter.status(), shorter.trailers())) {
				this.served.method().trimmed();
			}
		}

		private boolean closeFirst(Status status, Metadata trailers) {
			synchronized (this.served) {
				if (!this.served.send()) {
					return false;
				}
				super.close(status, trailers);
				return true;
			}
		}

		@Override
		public boolean isCancelled() {
			return this.served.isAbandoned() || super.isCancelled();
		}

		@Override
		public boolean isReady() {
			return !this.served.isAbandoned() && super.isReady();
		}

		/**
		 * Answers an exception that came this far: of an interceptor outside of our
		 * policy, or of a handler whose caller has left. grpc-java would close the stream
		 * itself, outside the lock; once this has closed, that does nothing.
		 * @return whether nobody else needs to know of the exception
		 */
		boolean closeAfter(Throwable thrown) {
			if (this.served.isSent()) {
				return false;
			}
			if (this.served.isAbandoned()) {
				closeFirst(Status.CANCELLED, new Metadata());
				return saysThatItIsOver(thrown);
			}
			Metadata trailers = new Metadata();
			close(this.guard.answer.answer(thrown, this.served.record(), this.served.method(), this.headers, trailers)
				.withCause(null), trailers);
			return !(thrown instanceof VirtualMachineError);
		}

		private static boolean saysThatItIsOver(Throwable thrown) {
			Throwable known = Causes.findStatus(thrown);
			Status status = (known != null) ? Causes.statusOf(known) : null;
			return status != null
					&& (status.getCode() == Status.Code.CANCELLED || status.getCode() == Status.Code.DEADLINE_EXCEEDED);
		}

	}

	private static final class GuardedListener<ReqT> extends SimpleForwardingServerCallListener<ReqT> {

		private final GuardedCall<ReqT, ?> call;

		private final ServedCall served;

		GuardedListener(ServerCall.Listener<ReqT> listener, GuardedCall<ReqT, ?> call, ServedCall served) {
			super(listener);
			this.call = call;
			this.served = served;
		}

		@Override
		public void onMessage(ReqT message) {
			this.served.inCallback(true);
			try {
				super.onMessage(message);
			}
			catch (Throwable ex) {
				if (!this.call.closeAfter(ex)) {
					throw ex;
				}
			}
			finally {
				this.served.inCallback(false);
			}
		}

		@Override
		public void onHalfClose() {
			this.served.inCallback(true);
			try {
				super.onHalfClose();
			}
			catch (Throwable ex) {
				if (!this.call.closeAfter(ex)) {
					throw ex;
				}
			}
			finally {
				this.served.inCallback(false);
			}
		}

		@Override
		public void onReady() {
			this.served.inCallback(true);
			try {
				super.onReady();
			}
			catch (Throwable ex) {
				if (!this.call.closeAfter(ex)) {
					throw ex;
				}
			}
			finally {
				this.served.inCallback(false);
			}
		}

	}

}
