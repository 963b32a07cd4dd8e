package io.github.grpcresilience.internal.error;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.status.Causes;

/**
 * What exceptions of the JDK mean: time that is up, threads that were interrupted, and
 * executors that take no more work.
 */
final class JdkErrors implements BuiltInErrors {

	static final String TIMEOUT = "TIMEOUT";

	static final String INTERRUPTED = "INTERRUPTED";

	static final String EXECUTOR_FULL = "EXECUTOR_FULL";

	static final String SHUTTING_DOWN = "SHUTTING_DOWN";

	/** How long a full executor is left alone: what empties it nobody knows. */
	private static final Duration RETRY_DELAY = Duration.ofSeconds(1);

	/** What the JDK, Spring and Netty say of executors that are being shut down. */
	private static final List<String> CLOSING = List.of("[Shutting down", "[Terminated", "[Stopped",
			"in shutdown state", "has been closed already", "executor terminated", "already shutdown",
			"Scheduler unavailable");

	@Override
	public List<ErrorMapper<?>> mappers() {
		List<ErrorMapper<?>> mappers = new ArrayList<>(
				List.of(ErrorMapper.of(TimeoutException.class, (thrown) -> timeout()),
						// Whoever read from the socket gave up waiting. The request may
						// have
						// been carried out, so not UNAVAILABLE, which is retried.
						ErrorMapper.of(SocketTimeoutException.class, (thrown) -> timeout()),
						ErrorMapper.of(InterruptedException.class, (thrown) -> interrupted()),
						ErrorMapper.of(RejectedExecutionException.class, JdkErrors::rejected)));
		if (ModuleLayer.boot().findModule("java.net.http").isPresent()) {
			mappers.add(ErrorMapper.of(HttpTimeoutException.class, (thrown) -> timeout()));
		}
		return List.copyOf(mappers);
	}

	@Override
	public @Nullable Throwable unwrap(Throwable thrown) {
		return (thrown instanceof CompletionException || thrown instanceof ExecutionException
				|| thrown instanceof InvocationTargetException || thrown instanceof UndeclaredThrowableException)
						? Causes.causeOf(thrown) : null;
	}

	private static GrpcError timeout() {
		return GrpcError.answer(Status.Code.DEADLINE_EXCEEDED)
			.reason(TIMEOUT)
			.message("the work did not end within the time that it was given");
	}

	/**
	 * Somebody ended the work, most likely since the server stops. It was not the caller,
	 * who may try elsewhere.
	 */
	private static GrpcError interrupted() {
		return GrpcError.answer(Status.Code.UNAVAILABLE).reason(INTERRUPTED).message("the work was interrupted");
	}

	private static GrpcError rejected(RejectedExecutionException thrown) {
		if (isClosing(thrown)) {
			return GrpcError.answer(Status.Code.UNAVAILABLE)
				.reason(SHUTTING_DOWN)
				.message("the server takes no more work");
		}
		return GrpcError.answer(Status.Code.RESOURCE_EXHAUSTED)
			.reason(EXECUTOR_FULL)
			.message("the server has more work than it can take")
			.retryAfter(RETRY_DELAY);
	}

	/**
	 * Only the texts tell.
	 */
	private static boolean isClosing(RejectedExecutionException thrown) {
		return Causes.of(thrown)
			.stream()
			.filter((cause) -> cause instanceof RejectedExecutionException)
			.map((cause) -> String.valueOf(cause.getMessage()))
			.anyMatch((text) -> CLOSING.stream().anyMatch(text::contains));
	}

}
