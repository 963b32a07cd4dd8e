package io.github.grpcresilience.error;

import java.util.List;
import java.util.function.Supplier;

import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.method.FailureAnswer;

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
			List<BuiltInErrors> builtIn, ErrorTexts texts, Supplier<@Nullable String> traces,
			@Nullable RequestCheck check) {
		List<ErrorMapper<?>> known = builtIn.stream()
			.<ErrorMapper<?>>flatMap((errors) -> errors.mappers().stream())
			.toList();
		this.translator = new ErrorTranslator(settings, service, new MapperTable(mappers), new MapperTable(() -> known),
				new UserTexts(texts), new RequestIds(traces));
		this.check = check;
	}

	/**
	 * Answers what handlers throw.
	 * @param advice handlers that the application has written for its framework
	 * @return the interceptor
	 */
	public ServerInterceptor interceptor(ErrorAdvice advice) {
		return new ErrorServerInterceptor(this.translator, advice, this.check);
	}

	/**
	 * Answers what interceptors throw that no other interceptor of ours encloses.
	 * @return the answer
	 */
	public FailureAnswer answer() {
		return this.translator;
	}

}
