package io.github.grpcresilience.autoconfigure.error;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.util.ConcurrentReferenceHashMap;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.support.WebExchangeBindException;
import org.springframework.web.method.annotation.HandlerMethodValidationException;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * What exceptions mean that know an HTTP status: a {@code ResponseStatusException} or
 * another {@code ErrorResponse}, and what is annotated with {@code @ResponseStatus}. Not
 * those of HTTP clients: what another server said of a request of ours is no answer to
 * our caller.
 */
public final class SpringWebErrors implements BuiltInErrors {

	/** Annotations are looked up once a class, as long as somebody uses it. */
	private final Map<Class<?>, Optional<ResponseStatus>> annotations = new ConcurrentReferenceHashMap<>();

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(
				ErrorMapper.of(WebExchangeBindException.class,
						(thrown) -> SpringValidationErrors.map(thrown.getBindingResult())),
				ErrorMapper.of(HandlerMethodValidationException.class, SpringValidationErrors::map),
				// Asked last, as it knows the most general class.
				ErrorMapper.of(Throwable.class, this::map));
	}

	private @Nullable GrpcError map(Throwable thrown) {
		if (thrown instanceof ErrorResponse response) {
			GrpcError error = error(response.getStatusCode().value(), response.getBody().getDetail());
			Duration wait = retryAfter(response.getHeaders());
			return (error != null && wait != null) ? error.retryAfter(wait) : error;
		}
		return this.annotations.computeIfAbsent(thrown.getClass(), SpringWebErrors::findAnnotation)
			.map((annotation) -> error(annotation.code().value(), annotation.reason()))
			.orElse(null);
	}

	private static Optional<ResponseStatus> findAnnotation(Class<?> type) {
		return Optional.ofNullable(AnnotatedElementUtils.findMergedAnnotation(type, ResponseStatus.class));
	}

	private static @Nullable GrpcError error(int status, @Nullable String text) {
		Status.Code code = HttpStatusCodes.find(status);
		if (code == null) {
			return null;
		}
		GrpcError error = GrpcError.answer(code).reason(code.name());
		// On 5xx the text is about the application, and none of the caller's business.
		return (HttpStatusCodes.isClientError(status) && text != null && !text.isEmpty()) ? error.message(text)
				: error.message(phrase(status));
	}

	private static String phrase(int status) {
		HttpStatus known = HttpStatus.resolve(status);
		return (known != null) ? known.getReasonPhrase() : "HTTP status " + status;
	}

	/** In seconds only: nobody who throws an exception writes a date. */
	private static @Nullable Duration retryAfter(HttpHeaders headers) {
		String seconds = headers.getFirst(HttpHeaders.RETRY_AFTER);
		return (seconds != null && seconds.matches("\\d{1,9}")) ? Duration.ofSeconds(Long.parseLong(seconds)) : null;
	}

}
