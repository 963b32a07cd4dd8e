package io.github.grpcresilience.test;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a call at a {@link FaultyServer}. Immutable.
 */
public final class Fault {

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final int BEFORE_HEADERS = -1;

	private static final Fault NONE = new Fault(null, new Metadata(), Duration.ZERO, BEFORE_HEADERS, Duration.ZERO,
			null);

	private final @Nullable Status status;

	private final Metadata trailers;

	private final Duration delay;

	private final int messages;

	private final Duration drip;

	private final @Nullable End end;

	private Fault(@Nullable Status status, Metadata trailers, Duration delay, int messages, Duration drip,
			@Nullable End end) {
		this.status = status;
		this.trailers = trailers;
		this.delay = delay;
		this.messages = messages;
		this.drip = drip;
		this.end = end;
	}

	private static Fault of(End end) {
		return new Fault(null, new Metadata(), Duration.ZERO, BEFORE_HEADERS, Duration.ZERO, end);
	}

	/**
	 * No fault: the call is answered.
	 * @return the fault
	 */
	public static Fault none() {
		return NONE;
	}

	/**
	 * The call is answered after a time.
	 * @param delay counted from its arrival; not negative
	 * @return the fault
	 */
	public static Fault delay(Duration delay) {
		return NONE.after(delay);
	}

	/**
	 * The call is answered byte by byte.
	 * @param pause between two bytes of the answer; positive
	 * @return the fault
	 */
	public static Fault drip(Duration pause) {
		if (pause.isNegative() || pause.isZero()) {
			throw new IllegalArgumentException("pause is " + pause + ", and must be positive");
		}
		return new Fault(null, new Metadata(), Duration.ZERO, BEFORE_HEADERS, pause, null);
	}

	/**
	 * The call fails with a status, in trailers alone.
	 * @param status what the client sees
	 * @return the fault
	 */
	public static Fault status(Status status) {
		return status(status, new Metadata());
	}

	/**
	 * The call fails with a status, in trailers alone.
	 * @param status what the client sees
	 * @param trailers what is sent beside it
	 * @return the fault
	 */
	public static Fault status(Status status, Metadata trailers) {
		Metadata copy = new Metadata();
		copy.merge(trailers);
		return new Fault(status, copy, Duration.ZERO, BEFORE_HEADERS, Duration.ZERO,
				(call) -> call.close(status, copy));
	}

	/**
	 * The call is never answered; its connection lives.
	 * @return the fault
	 */
	public static Fault silence() {
		return of((call) -> {
		});
	}

	/**
	 * The call gets headers, and nothing after them.
	 * @return the fault
	 */
	public static Fault headersThenNothing() {
		return silence().afterMessages(0);
	}

	/**
	 * The call's stream is reset, with RST_STREAM.
	 * @param errorCode as in RFC 9113 section 7, such as 2 for INTERNAL_ERROR, 7 for
	 * REFUSED_STREAM, 8 for CANCEL, 11 for ENHANCE_YOUR_CALM
	 * @return the fault
	 */
	public static Fault reset(int errorCode) {
		return of((call) -> call.reset(errorCode));
	}

	/**
	 * The call's connection is told to go away, with GOAWAY, and closed at once with all
	 * that is on it.
	 * @param errorCode as in RFC 9113 section 7, such as 0 for NO_ERROR, 11 for
	 * ENHANCE_YOUR_CALM
	 * @param debugData text that goes with it, such as {@code too_many_pings}
	 * @return the fault
	 */
	public static Fault goAway(int errorCode, String debugData) {
		byte[] data = debugData.getBytes(StandardCharsets.UTF_8);
		return of((call) -> call.connection().goAwayAndClose(errorCode, data));
	}

	/**
	 * The call is answered as by a proxy that knows nothing of gRPC, with a page of HTML.
	 * @param status of HTTP, such as 503
	 * @return the fault
	 */
	public static Fault http(int status) {
		return of((call) -> call.html(status));
	}

	/**
	 * The call's connection gets bytes that are not HTTP/2.
	 * @return the fault
	 */
	public static Fault garbage() {
		return of((call) -> call.connection().garbage());
	}

	/**
	 * The call's connection is reset, as by a host that dies.
	 * @return the fault
	 */
	public static Fault disconnect() {
		return of((call) -> call.connection().disconnect());
	}

	/**
	 * The same fault later.
	 * @param delay counted from the call's arrival; not negative
	 * @return the fault
	 */
	public Fault after(Duration delay) {
		if (delay.isNegative()) {
			throw new IllegalArgumentException("delay is " + delay + ", and must not be negative");
		}
		return new Fault(this.status, this.trailers, delay, this.messages, this.drip, this.end);
	}

	/**
	 * The same fault after a part of the answer. Clients drop messages that they have not
	 * handed over when a stream or a connection ends with an error.
	 * @param count how many messages are sent before; 0 for headers alone
	 * @return the fault
	 */
	public Fault afterMessages(int count) {
		if (count < 0) {
			throw new IllegalArgumentException("count is " + count + ", and must not be negative");
		}
		if (this.end == null) {
			throw new IllegalStateException("This fault is an answer: nothing comes after its messages");
		}
		return new Fault(this.status, this.trailers, this.delay, count, this.drip, this.end);
	}

	/**
	 * The same status with {@code grpc-retry-pushback-ms}.
	 * @param millis when the client shall try again; negative for never
	 * @return the fault
	 * @throws IllegalStateException if this is no fault with a status
	 */
	public Fault withPushBack(long millis) {
		Metadata more = new Metadata();
		more.put(PUSH_BACK, Long.toString(millis));
		return with(failed(), more);
	}

	/**
	 * The same status with a {@code google.rpc.RetryInfo} among its details, in place of
	 * other details.
	 * @param delay after which the client may try again
	 * @return the fault
	 * @throws IllegalStateException if this is no fault with a status
	 */
	public Fault withRetryInfo(Duration delay) {
		Status failed = failed();
		RetryInfo info = RetryInfo.newBuilder()
			.setRetryDelay(com.google.protobuf.Duration.newBuilder()
				.setSeconds(delay.toSeconds())
				.setNanos(delay.toNanosPart()))
			.build();
		String text = failed.getDescription();
		Metadata more = StatusProto
			.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
				.setCode(failed.getCode().value())
				.setMessage((text != null) ? text : "")
				.addDetails(Any.pack(info))
				.build())
			.getTrailers();
		return with(failed, (more != null) ? more : new Metadata());
	}

	private Status failed() {
		if (this.status == null) {
			throw new IllegalStateException("This fault has no status");
		}
		return this.status;
	}

	private Fault with(Status failed, Metadata more) {
		Metadata all = new Metadata();
		all.merge(this.trailers);
		more.keys().forEach((name) -> discard(all, name));
		all.merge(more);
		return new Fault(failed, all, this.delay, this.messages, this.drip, (call) -> call.close(failed, all));
	}

	private static void discard(Metadata metadata, String name) {
		if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
			metadata.discardAll(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER));
		}
		else {
			metadata.discardAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
		}
	}

	Duration delay() {
		return this.delay;
	}

	Duration drip() {
		return this.drip;
	}

	/** Whether the call meets it before anything is sent. */
	boolean isAtOnce() {
		return this.end != null && this.messages == BEFORE_HEADERS;
	}

	/** Whether the call meets it after so many messages of its answer. */
	boolean isAfter(int sent) {
		return this.end != null && sent >= this.messages;
	}

	/** What is done to the call; null if it is answered. */
	@Nullable End end() {
		return this.end;
	}

	/**
	 * Does to a call what the fault is about, on the thread of the server.
	 */
	@FunctionalInterface
	interface End {

		void end(FaultyCall call);

	}

}
