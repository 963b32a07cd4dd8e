package io.github.grpcresilience.error;

import java.time.Duration;
import java.util.Objects;
import java.util.function.BiFunction;

import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * An error that callers can read: a status with {@code google.rpc} details, to be thrown
 * by a handler or given to its observer's {@code onError}.
 *
 * <pre>
 * throw GrpcError.of(Status.Code.NOT_FOUND).reason("SKU_UNKNOWN").with("sku", sku).message("no such article");
 * </pre>
 *
 * <p>
 * Everything in it is sent. Whatever does not know it, plain gRPC included, finds the
 * same status in its {@link #getCause() cause}. Confined to one thread until it is
 * thrown, and not changed from then on.
 */
public final class GrpcError extends RuntimeException {

	private final transient ErrorContent content;

	private GrpcError(Status.Code code, boolean withStackTrace) {
		super(null, null, false, withStackTrace);
		if (code == Status.Code.OK) {
			throw new IllegalArgumentException("code must not be OK");
		}
		this.content = new ErrorContent(code);
	}

	/**
	 * Begins an error.
	 * @param code its status code
	 * @return an error that says nothing else
	 * @throws IllegalArgumentException if the code is {@code OK}
	 */
	public static GrpcError of(Status.Code code) {
		return new GrpcError(code, true);
	}

	/**
	 * Begins an error that answers another exception, which has a stack trace already: it
	 * gets none. For {@linkplain ErrorMapper mappers}.
	 * @param code its status code
	 * @return an error that says nothing else
	 * @throws IllegalArgumentException if the code is {@code OK}
	 */
	public static GrpcError answer(Status.Code code) {
		return new GrpcError(code, false);
	}

	/**
	 * Sets the text for developers, in English (AIP-193). Callers see it.
	 * @param message the text; of more than 512 bytes only the beginning is sent
	 * @return this error
	 */
	public GrpcError message(String message) {
		this.content.message = message;
		return this;
	}

	/**
	 * Sets the text for users, which is sent in the language that the caller asked for
	 * with {@code accept-language}, as a {@code LocalizedMessage}.
	 * @param key key of the text, as the application's messages know it; without a text
	 * of that key nothing is sent
	 * @param arguments what the text mentions
	 * @return this error
	 */
	public GrpcError localized(String key, Object... arguments) {
		this.content.textKey = key;
		this.content.textArguments = arguments.clone();
		return this;
	}

	/**
	 * Sets the reason on which programs can rely (AIP-193).
	 * @param reason the reason, such as {@code SKU_UNKNOWN}
	 * @return this error
	 */
	public GrpcError reason(String reason) {
		this.content.reason = Objects.requireNonNull(reason, "reason");
		return this;
	}

	/**
	 * Sets who defines the reason.
	 * @param domain the domain; that of the application if not set
	 * @return this error
	 */
	public GrpcError domain(String domain) {
		this.content.domain = Objects.requireNonNull(domain, "domain");
		return this;
	}

	/**
	 * Adds what else programs may want to know, to the metadata of the {@code ErrorInfo}.
	 * @param key name of the entry
	 * @param value its value, sent as {@link String#valueOf(Object) text}
	 * @return this error
	 */
	public GrpcError with(String key, @Nullable Object value) {
		this.content.metadata.put(Objects.requireNonNull(key, "key"), String.valueOf(value));
		return this;
	}

	/**
	 * Adds a detail, in place of one of the same type.
	 * @param detail one of {@code google/rpc/error_details.proto}, or a message of your
	 * own
	 * @return this error
	 */
	public GrpcError with(Message detail) {
		this.content.put(detail);
		return this;
	}

	/**
	 * Adds a field of the request that is wrong.
	 * @param field path of the field as callers write it, such as
	 * {@code items[0].quantity}
	 * @param description what is wrong with it
	 * @return this error
	 */
	public GrpcError withViolation(String field, String description) {
		BadRequest.Builder badRequest = BadRequest.newBuilder();
		this.content.details.stream()
			.filter(BadRequest.class::isInstance)
			.forEach((present) -> badRequest.mergeFrom((BadRequest) present));
		badRequest.addFieldViolationsBuilder().setField(field).setDescription(description);
		return with(badRequest.build());
	}

	/**
	 * Sets how long callers shall wait before they try again.
	 * @param delay the delay; a negative one counts as zero
	 * @return this error
	 */
	public GrpcError retryAfter(Duration delay) {
		Duration wait = delay.isNegative() ? Duration.ZERO : delay;
		RetryInfo.Builder info = RetryInfo.newBuilder();
		info.getRetryDelayBuilder().setSeconds(wait.getSeconds()).setNanos(wait.getNano());
		return with(info.build());
	}

	/**
	 * Sets what led to this error. Callers do not see it.
	 * @param origin the exception
	 * @return this error
	 */
	public GrpcError causedBy(Throwable origin) {
		this.content.origin = origin;
		return this;
	}

	/**
	 * Status code.
	 * @return the code
	 */
	public Status.Code code() {
		return this.content.code;
	}

	/**
	 * Reason on which programs can rely.
	 * @return the reason; {@code null} if none is set
	 */
	public @Nullable String reason() {
		return this.content.reason;
	}

	/**
	 * Code, reason and text.
	 */
	@Override
	public String getMessage() {
		StringBuilder text = new StringBuilder(this.content.code.name());
		if (this.content.reason != null) {
			text.append(' ').append(this.content.reason);
		}
		if (this.content.message != null) {
			text.append(": ").append(this.content.message);
		}
		return text.toString();
	}

	/**
	 * This error as plain gRPC knows it, and behind it what led to it.
	 */
	@Override
	public synchronized Throwable getCause() {
		return this.content.carrier(this);
	}

	/**
	 * Writes the error as it is sent; for whoever answers calls.
	 * @param trailers trailers to put the details into
	 * @param defaultDomain domain where none is set
	 * @param texts the text for users by its key and arguments; {@code null} if there is
	 * none
	 * @return the status
	 */
	public Status write(Metadata trailers, String defaultDomain,
			BiFunction<String, Object[], @Nullable LocalizedMessage> texts) {
		String key = this.content.textKey;
		return this.content.render(trailers, defaultDomain,
				(key != null) ? texts.apply(key, this.content.textArguments) : null);
	}

	/**
	 * Through Java's serialization goes what it says, and where it comes from.
	 */
	@SuppressWarnings("UnusedMethod") // serialization calls it
	private Object writeReplace() {
		RuntimeException plain = new RuntimeException(getMessage(), this.content.origin);
		plain.setStackTrace(getStackTrace());
		return plain;
	}

}
