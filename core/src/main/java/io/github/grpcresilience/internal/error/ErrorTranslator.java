package io.github.grpcresilience.internal.error;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.google.protobuf.Any;
import com.google.rpc.DebugInfo;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RequestInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallEndedException;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.FailureAnswer;
import io.github.grpcresilience.internal.method.ReceivedFailure;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.status.Causes;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Turns what was thrown into an answer: an error or a status that was built says itself
 * what it is, wherever it stands in the chain of causes; then come the application's
 * mappers, and last the built-in ones. What nobody knows is INTERNAL, and its id is all
 * that the caller learns. Safe for concurrent use.
 */
final class ErrorTranslator implements FailureAnswer {

	private final ErrorSettings settings;

	private final String service;

	private final MapperTable own;

	private final LibraryErrors builtIn;

	private final UserTexts texts;

	private final RequestIds ids;

	ErrorTranslator(ErrorSettings settings, String service, MapperTable own, LibraryErrors builtIn, UserTexts texts,
			RequestIds ids) {
		this.settings = settings;
		this.service = service;
		this.own = own;
		this.builtIn = builtIn;
		this.texts = texts;
		this.ids = ids;
	}

	/**
	 * Loads what is known of libraries. The application's mappers are its own to load.
	 */
	void load() {
		this.builtIn.load();
	}

	@Override
	public Status answer(Throwable thrown, CallRecord call, ServedMethod method, Metadata headers, Metadata trailers) {
		Throwable unknown = thrown;
		try {
			Status known = find(thrown, call, headers, trailers);
			if (known != null) {
				return known;
			}
		}
		catch (Throwable ex) { // whatever a mapper throws, the call must be answered
			unknown = new IllegalStateException("an error could not be mapped", ex);
			unknown.addSuppressed(thrown);
		}
		return unhandled(unknown, method, headers, trailers);
	}

	/**
	 * Translates what was thrown if it is known.
	 * @param call the call that fails
	 * @param headers what the caller sent
	 * @param trailers trailers to add to
	 * @return the status; {@code null} if nobody knows what it is
	 */
	private @Nullable Status find(Throwable thrown, CallRecord call, Metadata headers, Metadata trailers) {
		for (Throwable cause : Causes.of(thrown)) {
			GrpcError error = (cause instanceof GrpcError itself) ? itself : this.own.map(cause);
			if (error != null) {
				return render(error, headers, trailers);
			}
			Status status = Causes.statusOf(cause);
			if (status != null && !status.isOk()) {
				return findFor(status, Causes.trailersOf(cause), call, headers, trailers);
			}
		}
		GrpcError error = this.builtIn.map(thrown);
		return (error != null) ? render(error, headers, trailers) : null;
	}

	/**
	 * Whether nobody knows what was thrown.
	 */
	boolean isUnknown(Throwable thrown, CallRecord call, Metadata headers) {
		try {
			return find(thrown, call, headers, new Metadata()) == null;
		}
		catch (Throwable ex) {
			return true; // whoever gets the exception then, reports it
		}
	}

	/**
	 * Translates a status that was built, or received from another service.
	 * @param carried trailers that came with it; {@code null} if none did
	 * @param call the call that fails
	 * @return the status to answer with; {@code null} if it must not be told
	 */
	private @Nullable Status findFor(Status status, @Nullable Metadata carried, CallRecord call, Metadata headers,
			Metadata trailers) {
		if (CallEndedException.isOfAnother(status.getCause(), call)) {
			return shared(call, trailers);
		}
		if (status.getCause() instanceof GrpcError error) {
			return render(error, headers, trailers);
		}
		ReceivedFailure mark = ReceivedFailure.find(status);
		if (mark != null) {
			return Relay.translate(status, carried, mark, trailers);
		}
		if (carried != null) {
			trailers.merge(carried);
		}
		return status;
	}

	/**
	 * Another call began the work, and its end says nothing of this one: whoever tries
	 * again will begin the work himself.
	 */
	private Status shared(CallRecord call, Metadata trailers) {
		Status status = Status.UNAVAILABLE.withDescription("the work was shared with a call that has ended");
		StatusDetails.put(trailers, status, Reason.SHARED_WORK_ENDED,
				Map.of("method", call.subject(), "service", this.service));
		return status;
	}

	private Status render(GrpcError error, Metadata headers, Metadata trailers) {
		return error.write(trailers, this.settings.domain(),
				(key, arguments) -> this.texts.find(key, arguments, headers));
	}

	/**
	 * Translates a status that was built or received, and says of its cause what is known
	 * of it.
	 * @param cause cause of the status; {@code null} if it has none
	 * @param carried trailers that came with it
	 * @param call the call that fails
	 * @param trailers trailers to add to
	 */
	Status answerFor(Status status, @Nullable Throwable cause, Metadata carried, CallRecord call, ServedMethod method,
			Metadata headers, Metadata trailers) {
		Throwable unknown;
		try {
			Status answer = findFor(status, carried, call, headers, trailers);
			if (answer != null) {
				if (cause != null && !StatusDetails.isPresent(trailers)) {
					explain(answer.getCode(), cause, headers, trailers);
				}
				return answer;
			}
			unknown = status.asRuntimeException();
		}
		catch (Throwable ex) { // whatever went wrong, the call must be answered
			unknown = new IllegalStateException("a status could not be translated", ex);
			unknown.addSuppressed(status.asRuntimeException());
		}
		return unhandled(unknown, method, headers, trailers);
	}

	private void explain(Status.Code code, Throwable cause, Metadata headers, Metadata trailers) {
		GrpcError known = this.builtIn.map(cause);
		if (known != null && known.code() == code) {
			render(known, headers, trailers);
		}
	}

	/**
	 * Answers what nobody knows, and reports it.
	 */
	private Status unhandled(Throwable thrown, ServedMethod method, Metadata headers, Metadata trailers) {
		String id = this.ids.of(headers);
		Status status = Status.INTERNAL.withDescription("internal error; ask for it by its id, " + id);
		List<Any> details = new ArrayList<>();
		details.add(Any.pack(ErrorInfo.newBuilder()
			.setReason(Reason.INTERNAL.name())
			.setDomain(StatusDetails.DOMAIN)
			.putAllMetadata(Map.of("method", method.name(), "service", this.service))
			.build()));
		details.add(Any.pack(RequestInfo.newBuilder().setRequestId(id).build()));
		if (this.settings.debugInfo()) {
			details.add(Any.pack(DebugInfo.newBuilder().setDetail(stackTrace(thrown)).build()));
		}
		StatusDetails.put(trailers, status, details);
		try {
			method.failed(thrown, id);
		}
		catch (Throwable ex) {
			// Whoever listens for it must not cost the caller its answer.
		}
		return status.withCause(thrown);
	}

	private static String stackTrace(Throwable thrown) {
		try {
			StringWriter text = new StringWriter();
			thrown.printStackTrace(new PrintWriter(text));
			// What matters is at the top; more would not be sent.
			return text.getBuffer()
				.substring(0, Math.min(text.getBuffer().length(), ErrorSettings.MOST_DETAILS_BYTES / 2));
		}
		catch (Throwable ex) {
			return thrown.getClass().getName(); // it cannot even be printed
		}
	}

}
