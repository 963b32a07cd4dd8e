package io.github.grpcresilience.error;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.status.StatusDetails;

/**
 * What a {@link GrpcError} says. Written by the one thread that makes the error.
 */
final class ErrorContent {

	final Status.Code code;

	final Map<String, String> metadata = new LinkedHashMap<>();

	final List<Message> details = new ArrayList<>();

	@Nullable String message;

	@Nullable String reason;

	@Nullable String domain;

	@Nullable String textKey;

	Object[] textArguments = {};

	@Nullable Throwable origin;

	/** Guarded by the monitor of this object. */
	private @Nullable StatusRuntimeException carrier;

	ErrorContent(Status.Code code) {
		this.code = code;
	}

	void put(Message detail) {
		this.details.removeIf((present) -> present.getDescriptorForType().equals(detail.getDescriptorForType()));
		this.details.add(detail);
	}

	/**
	 * Writes the error as it is sent.
	 * @param trailers trailers to put the details into
	 * @param defaultDomain domain where none is set
	 * @param userText text for users; {@code null} if there is none
	 * @return the status
	 */
	Status render(Metadata trailers, String defaultDomain, @Nullable LocalizedMessage userText) {
		List<Any> packed = new ArrayList<>();
		if (this.reason != null || !this.metadata.isEmpty()) {
			packed.add(Any.pack(ErrorInfo.newBuilder()
				.setReason((this.reason != null) ? this.reason : this.code.name())
				.setDomain((this.domain != null) ? this.domain : defaultDomain)
				.putAllMetadata(this.metadata)
				.build()));
		}
		this.details.forEach((detail) -> packed.add(Any.pack(detail)));
		if (userText != null) {
			packed.add(Any.pack(userText));
		}
		Status status = this.code.toStatus().withDescription(this.message);
		StatusDetails.put(trailers, status, packed);
		return status;
	}

	/**
	 * The error as plain gRPC knows it.
	 */
	synchronized StatusRuntimeException carrier(GrpcError error) {
		StatusRuntimeException made = this.carrier;
		if (made == null) {
			Metadata trailers = new Metadata();
			made = new Carrier(render(trailers, "", null).withCause(error), trailers, this.origin);
			this.carrier = made;
		}
		return made;
	}

	/**
	 * Its status leads back to the error, its cause does not: a chain of causes must have
	 * an end.
	 */
	private static final class Carrier extends StatusRuntimeException {

		private final transient @Nullable Throwable origin;

		Carrier(Status status, Metadata trailers, @Nullable Throwable origin) {
			super(status, trailers);
			this.origin = origin;
		}

		@Override
		public synchronized @Nullable Throwable getCause() {
			return this.origin;
		}

		@Override
		public synchronized Throwable fillInStackTrace() {
			return this; // the error has one
		}

	}

}
