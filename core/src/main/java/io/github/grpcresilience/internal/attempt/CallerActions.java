package io.github.grpcresilience.internal.attempt;

import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * What the caller of a call has done so far: recorded once, and done to every attempt.
 *
 * <p>
 * Owned by an {@link AttemptedCall}, whose monitor guards all fields. Headers and message
 * are written once, before any attempt can be given them, so the thread that feeds an
 * attempt reads them without the monitor.
 */
final class CallerActions<ReqT> {

	/** Sent with every attempt but the first (gRFC A6). */
	private static final Metadata.Key<String> PREVIOUS_ATTEMPTS = Metadata.Key.of("grpc-previous-rpc-attempts",
			Metadata.ASCII_STRING_MARSHALLER);

	/** Absent before the call is started. */
	private @Nullable Metadata headers;

	/** Whether attempts to come need the headers as they are now. */
	private boolean headersKept;

	private @Nullable ReqT message;

	private boolean messageSent;

	private boolean halfClosed;

	private int requested;

	/** What was asked for last; absent if nothing was. */
	private @Nullable Boolean compression;

	/** How the caller cancelled; absent as long as it has not. */
	private @Nullable Status cancelled;

	boolean isStarted() {
		return this.headers != null;
	}

	/**
	 * The call is started.
	 * @param repeatable whether there may be further attempts
	 */
	void start(Metadata headers, boolean repeatable) {
		this.headers = headers;
		this.headersKept = repeatable && !headers.keys().isEmpty();
	}

	void request(int messages) {
		this.requested = (messages > Integer.MAX_VALUE - this.requested) ? Integer.MAX_VALUE
				: this.requested + messages;
	}

	void send(ReqT message) {
		this.message = message;
		this.messageSent = true;
	}

	void halfClose() {
		this.halfClosed = true;
	}

	void compress(boolean enabled) {
		this.compression = enabled;
	}

	/**
	 * The call is cancelled, in the words of grpc-java. Only the first time counts.
	 * @return how it is cancelled
	 */
	Status cancel(@Nullable String message, @Nullable Throwable cause) {
		Status status = this.cancelled;
		if (status == null) {
			status = Status.CANCELLED.withDescription((message != null) ? message : "Call cancelled without message")
				.withCause(cause);
			this.cancelled = status;
		}
		return status;
	}

	@Nullable Status cancelled() {
		return this.cancelled;
	}

	boolean isCancelled() {
		return this.cancelled != null;
	}

	boolean isMessageSent() {
		return this.messageSent;
	}

	boolean isHalfClosed() {
		return this.halfClosed;
	}

	int requested() {
		return this.requested;
	}

	@Nullable Boolean compression() {
		return this.compression;
	}

	@SuppressWarnings("NullAway") // what the caller sent, whatever that was
	ReqT message() {
		return this.message;
	}

	/**
	 * Headers for an attempt to be started with, which a channel and its interceptors
	 * change: those of the caller only where no other attempt needs them.
	 * @param first whether there was no attempt before
	 * @param index attempts that were sent before
	 */
	Metadata headersOf(boolean first, int index) {
		Metadata original = this.headers;
		if (first && !this.headersKept && original != null) {
			return original;
		}
		Metadata copy = new Metadata();
		if (this.headersKept && original != null) {
			copy.merge(original);
		}
		if (index > 0) {
			copy.discardAll(PREVIOUS_ATTEMPTS);
			copy.put(PREVIOUS_ATTEMPTS, Integer.toString(index));
		}
		return copy;
	}

}
