package io.github.grpcresilience.error;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.ServedCall;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.method.ReceivedFailure;
import io.github.grpcresilience.status.Causes;
import io.github.grpcresilience.status.PushBack;
import io.github.grpcresilience.status.StatusDetails;

/**
 * A call whose failures are translated, whether they are thrown or closed with. Closing
 * may race with anything: what comes first is decided further out, under the call's lock.
 */
final class ErrorServerCall<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {

	private final ServedCall served;

	private final KnownMethod method;

	private final Metadata headers;

	private final ErrorTranslator translator;

	private final ErrorAdvice advice;

	/** Set by whoever closes; an exception that comes later cannot be answered. */
	private volatile boolean closed;

	/** What was given to {@code onError} may be thrown as well. */
	private volatile @Nullable Throwable answered;

	ErrorServerCall(ServerCall<ReqT, RespT> call, ServedCall served, KnownMethod method, Metadata headers,
			ErrorTranslator translator, ErrorAdvice advice) {
		super(call);
		this.served = served;
		this.method = method;
		this.headers = headers;
		this.translator = translator;
		this.advice = advice;
	}

	@Override
	public void close(Status status, Metadata trailers) {
		close(status, trailers, this.advice);
	}

	private void close(Status status, Metadata trailers, ErrorAdvice advice) {
		Throwable cause = status.getCause();
		boolean received = !status.isOk() && ReceivedFailure.find(status) != null;
		if (status.isOk() || (cause == null && !received)) {
			pass(status, trailers, null);
		}
		else if (isOver()) {
			// Nobody is told of it, so nothing says that anybody was.
			pass(status.withCause(null), trailers, null);
		}
		else if (cause != null && !received && isMadeOf(status, cause, trailers)) {
			answer(cause, advice);
		}
		else {
			closeWith(status, cause, trailers);
		}
	}

	/**
	 * Whether a status stands for an exception that gRPC knows nothing of, such as one
	 * that was given to {@code onError}.
	 */
	private static boolean isMadeOf(Status status, Throwable cause, Metadata trailers) {
		return status.getCode() == Status.Code.UNKNOWN && status.getDescription() == null
				&& !StatusDetails.isPresent(trailers) && Causes.statusOf(cause) == null;
	}

	/**
	 * Closes with a status that was built or received, and says of the cause what is
	 * known of it.
	 */
	private void closeWith(Status status, @Nullable Throwable cause, Metadata trailers) {
		Metadata translated = new Metadata();
		Status answer = this.translator.answerFor(status, cause, trailers, this.served.record(), this.method,
				this.headers, translated);
		pass(answer, ReceivedFailure.endsAttempts(status) ? PushBack.stop(translated) : translated, cause);
	}

	/**
	 * Closes the call.
	 * @param origin what it fails with; {@code null} if that is not known
	 */
	private void pass(Status status, Metadata trailers, @Nullable Throwable origin) {
		this.closed = true;
		Metadata told = (!status.isOk() && endsAttempts(origin)) ? PushBack.stop(trailers) : trailers;
		Status answer = isMisleading(status, trailers) ? status.withCause(null) : status;
		try {
			super.close(answer, told);
		}
		catch (Throwable ex) {
			this.served.answer(answer, told);
			throw ex;
		}
	}

	/**
	 * Whether the failure comes of a call that shall not be attempted again: then neither
	 * shall this one, or attempts would multiply from service to service.
	 */
	private boolean endsAttempts(@Nullable Throwable origin) {
		return ReceivedFailure.endsAttempts(origin) || ReceivedFailure.endsAttempts(this.answered);
	}

	/**
	 * Whether interceptors further out would take the cause for an exception without an
	 * answer: net.devh's does so for every UNKNOWN.
	 */
	private static boolean isMisleading(Status status, Metadata trailers) {
		return status.getCause() != null && (status.getCode() == Status.Code.UNKNOWN
				|| (status.getCode() == Status.Code.INTERNAL && !StatusDetails.isPresent(trailers)));
	}

	private boolean isOver() {
		return this.closed || isCancelled();
	}

	/**
	 * Answers for what was refused before the handler saw it: no advice is asked, as that
	 * is about the application's exceptions.
	 */
	void refused(Throwable wrong) {
		failed(wrong, ErrorAdvice.NONE);
	}

	/**
	 * Answers an exception of the handler or of an interceptor.
	 * @throws RuntimeException the exception itself if nobody can be told any more, and
	 * it is none that is expected then
	 */
	void failed(Throwable thrown) {
		failed(thrown, this.advice);
	}

	private void failed(Throwable thrown, ErrorAdvice advice) {
		if (isOver()) {
			if (thrown != this.answered && this.translator.isUnknown(thrown, this.served.record(), this.headers)) {
				ErrorServerCall.<RuntimeException>rethrow(thrown);
			}
			return;
		}
		answer(thrown, advice);
		if (thrown instanceof VirtualMachineError error) {
			throw error;
		}
	}

	private void answer(Throwable thrown, ErrorAdvice advice) {
		if (this.answered == null) {
			this.answered = thrown; // and not what an advice makes of it
		}
		if (!advice.close(thrown, new Advised<>(this))) {
			Metadata trailers = new Metadata();
			pass(this.translator.answer(thrown, this.served.record(), this.method, this.headers, trailers), trailers,
					thrown);
		}
	}

	@SuppressWarnings("unchecked")
	private static <E extends Throwable> void rethrow(Throwable thrown) throws E {
		throw (E) thrown;
	}

	/**
	 * The call as the application's advice sees it: it is not asked again about what it
	 * closes with.
	 */
	private static final class Advised<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {

		private final ErrorServerCall<ReqT, RespT> call;

		Advised(ErrorServerCall<ReqT, RespT> call) {
			super(call);
			this.call = call;
		}

		@Override
		public void close(Status status, Metadata trailers) {
			this.call.close(status, trailers, ErrorAdvice.NONE);
		}

	}

}
