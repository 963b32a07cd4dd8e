package io.github.grpcresilience.internal.error;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.internal.call.HandlerFailures;
import io.github.grpcresilience.internal.call.PolicyCall;
import io.github.grpcresilience.internal.method.ReceivedFailure;
import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.PushBack;
import io.github.grpcresilience.internal.status.StatusDetails;

/**
 * Translates failures, whether they are thrown or closed with. Closing may race with
 * anything: what comes first is decided under the call's lock. Safe for concurrent use.
 */
final class ErrorAnswers implements HandlerFailures {

	private final ErrorTranslator translator;

	private final ErrorAdvice advice;

	private final @Nullable RequestCheck check;

	ErrorAnswers(ErrorTranslator translator, ErrorAdvice advice, @Nullable RequestCheck check) {
		this.translator = translator;
		this.advice = advice;
		this.check = check;
	}

	@Override
	public void close(PolicyCall<?, ?> call, Status status, Metadata trailers) {
		close(call, status, trailers, this.advice);
	}

	private void close(PolicyCall<?, ?> call, Status status, Metadata trailers, ErrorAdvice advice) {
		Throwable cause = status.getCause();
		boolean received = !status.isOk() && ReceivedFailure.find(status) != null;
		if (status.isOk() || (cause == null && !received)) {
			pass(call, status, trailers, null);
		}
		else if (call.isOver()) {
			// Nobody is told of it, so nothing says that anybody was.
			pass(call, status.withCause(null), trailers, null);
		}
		else if (cause != null && !received && isMadeOf(status, cause, trailers)) {
			answer(call, cause, advice);
		}
		else {
			closeWith(call, status, cause, trailers);
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
	private void closeWith(PolicyCall<?, ?> call, Status status, @Nullable Throwable cause, Metadata trailers) {
		Metadata translated = new Metadata();
		Status answer = this.translator.answerFor(status, cause, trailers, call.served().record(),
				call.served().method(), call.headers(), translated);
		pass(call, answer, ReceivedFailure.endsAttempts(status) ? PushBack.stop(translated) : translated, cause);
	}

	/**
	 * Closes the call.
	 * @param origin what it fails with; {@code null} if that is not known
	 */
	private static void pass(PolicyCall<?, ?> call, Status status, Metadata trailers, @Nullable Throwable origin) {
		boolean stop = !status.isOk() && endsAttempts(call, origin);
		call.pass(isMisleading(status, trailers) ? status.withCause(null) : status,
				stop ? PushBack.stop(trailers) : trailers);
	}

	/**
	 * Whether the failure comes of a call that shall not be attempted again: then neither
	 * shall this one, or attempts would multiply from service to service.
	 */
	private static boolean endsAttempts(PolicyCall<?, ?> call, @Nullable Throwable origin) {
		return ReceivedFailure.endsAttempts(origin) || ReceivedFailure.endsAttempts(call.failure());
	}

	/**
	 * Whether interceptors further out would take the cause for an exception without an
	 * answer: net.devh's does so for every UNKNOWN.
	 */
	private static boolean isMisleading(Status status, Metadata trailers) {
		return status.getCause() != null && (status.getCode() == Status.Code.UNKNOWN
				|| (status.getCode() == Status.Code.INTERNAL && !StatusDetails.isPresent(trailers)));
	}

	/**
	 * What is wrong with a message is no exception of the handler's, so nobody else
	 * answers for it: no advice is asked.
	 */
	@Override
	public boolean passes(PolicyCall<?, ?> call, Object message) {
		if (this.check == null) {
			return true;
		}
		Throwable wrong;
		try {
			wrong = this.check.check(message);
		}
		catch (Throwable ex) {
			wrong = ex;
		}
		if (wrong != null) {
			failed(call, wrong, ErrorAdvice.NONE);
		}
		return wrong == null;
	}

	@Override
	public void load() {
		this.translator.load();
	}

	@Override
	public void failed(PolicyCall<?, ?> call, Throwable thrown) {
		failed(call, thrown, this.advice);
	}

	private void failed(PolicyCall<?, ?> call, Throwable thrown, ErrorAdvice advice) {
		if (call.isOver()) {
			if (thrown != call.failure() && this.translator.isUnknown(thrown, call.served().record(), call.headers())) {
				ErrorAnswers.<RuntimeException>rethrow(thrown);
			}
			return;
		}
		answer(call, thrown, advice);
		if (thrown instanceof VirtualMachineError error) {
			throw error;
		}
	}

	private void answer(PolicyCall<?, ?> call, Throwable thrown, ErrorAdvice advice) {
		call.failsWith(thrown); // and not with what an advice makes of it
		if (!advice.close(thrown, new Advised<>(call, this))) {
			Metadata trailers = new Metadata();
			pass(call, this.translator.answer(thrown, call.served().record(), call.served().method(), call.headers(),
					trailers), trailers, thrown);
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

		private final PolicyCall<ReqT, RespT> call;

		private final ErrorAnswers answers;

		Advised(PolicyCall<ReqT, RespT> call, ErrorAnswers answers) {
			super(call);
			this.call = call;
			this.answers = answers;
		}

		@Override
		public void close(Status status, Metadata trailers) {
			this.answers.close(this.call, status, trailers, ErrorAdvice.NONE);
		}

	}

}
