package io.github.grpcresilience.internal.error;

import java.util.List;
import java.util.function.Supplier;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.ErrorTexts;
import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.internal.call.FailureAnswer;
import io.github.grpcresilience.internal.call.HandlerFailures;

/**
 * Answers to errors on the server. Assembled by the facade; safe for concurrent use.
 */
public final class ServerErrors {

	private final ErrorTranslator translator;

	private final @Nullable RequestCheck check;

	/**
	 * Assembles the parts. What is supplied is asked for when the first error comes.
	 * @param settings how errors are answered
	 * @param service name of this application
	 * @param mappers the application's mappers
	 * @param builtIn mappers that come with the library
	 * @param texts texts for users
	 * @param traces id of the trace that the thread is in; {@code null} if it is in none
	 * @param check looks at request messages; {@code null} if nobody does
	 */
	public ServerErrors(ErrorSettings settings, String service, Supplier<List<ErrorMapper<?>>> mappers,
			Supplier<List<BuiltInErrors>> builtIn, ErrorTexts texts, Supplier<@Nullable String> traces,
			@Nullable RequestCheck check) {
		this.translator = new ErrorTranslator(settings, service, new MapperTable(mappers), new LibraryErrors(builtIn),
				new UserTexts(texts), new RequestIds(traces));
		this.check = check;
	}

	/**
	 * Answers what handlers throw.
	 * @param advice handlers that the application has written for its framework
	 * @return the answers
	 */
	public HandlerFailures failures(ErrorAdvice advice) {
		return new ErrorAnswers(this.translator, advice, this.check);
	}

	/**
	 * Answers what interceptors throw that no other interceptor of ours encloses.
	 * @return the answer
	 */
	public FailureAnswer answer() {
		return this.translator;
	}

	/**
	 * Prepares the check of a method's requests, so that no call pays for it.
	 * @param method the method
	 * @return why its requests can never be checked; {@code null} if they can, or if
	 * nobody checks them
	 */
	public @Nullable RuntimeException prepare(MethodDescriptor<?, ?> method) {
		if (this.check != null && method.getRequestMarshaller() instanceof PrototypeMarshaller<?> marshaller
				&& marshaller.getMessagePrototype() != null) {
			try {
				this.check.prepare(marshaller.getMessagePrototype());
			}
			catch (RuntimeException ex) {
				return ex;
			}
		}
		return null;
	}

}
