package io.github.grpcresilience.internal.error;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.DebugInfo;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.ReceivedFailure;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Translates the failure of a call that this application made into an answer to the call
 * that it serves (AIP-193, error propagation).
 */
final class Relay {

	/** About what the caller asked for; the others are about services behind this one. */
	private static final Set<Status.Code> ABOUT_THE_REQUEST = EnumSet.of(Status.Code.INVALID_ARGUMENT,
			Status.Code.NOT_FOUND, Status.Code.ALREADY_EXISTS, Status.Code.FAILED_PRECONDITION,
			Status.Code.OUT_OF_RANGE, Status.Code.ABORTED, Status.Code.RESOURCE_EXHAUSTED);

	/** What may be known of a service behind this one. */
	private static final List<Class<? extends Message>> HARMLESS = List.of(ErrorInfo.class, RetryInfo.class,
			RequestInfo.class, QuotaFailure.class, LocalizedMessage.class);

	/** What grpc-java says of a message that its own side does not take. */
	private static final String TOO_LARGE = "gRPC message exceeds maximum size";

	/** What grpc-java says where the connection ended, and not the call. */
	private static final String CONNECTION_ENDED = "HTTP/2 error code:";

	private Relay() {
	}

	/**
	 * Translates a failure.
	 * @param status status of the call that was made
	 * @param received trailers that it came with; {@code null} if there were none
	 * @param mark the call
	 * @param trailers trailers to put details into
	 * @return status of the answer; {@code null} if the failure is this application's own
	 * fault, which its caller could only misunderstand
	 */
	static @Nullable Status translate(Status status, @Nullable Metadata received, ReceivedFailure mark,
			Metadata trailers) {
		if (isOurFault(status, received, mark)) {
			return null;
		}
		if (isOfTheConnection(status)) {
			return Status.UNAVAILABLE.withDescription("a call to " + mark.method().name() + " failed: UNAVAILABLE");
		}
		boolean asIs = ABOUT_THE_REQUEST.contains(status.getCode());
		Status answer = asIs ? status
				: status.withDescription("a call to " + mark.method().name() + " failed: " + status.getCode());
		List<Any> details = StatusDetails.read(received)
			.stream()
			.filter((detail) -> asIs ? !detail.is(DebugInfo.class) : HARMLESS.stream().anyMatch(detail::is))
			.toList();
		StatusDetails.put(trailers, answer, details);
		return answer;
	}

	/**
	 * Whether RESOURCE_EXHAUSTED is about our connection, such as too many pings on it,
	 * and not about what the caller asks for.
	 */
	private static boolean isOfTheConnection(Status status) {
		return status.getCode() == Status.Code.RESOURCE_EXHAUSTED && says(status, CONNECTION_ENDED);
	}

	private static boolean says(Status status, String text) {
		String description = status.getDescription();
		return description != null && description.contains(text);
	}

	/**
	 * Whether the failure is about our rights, our version of the service, the size of
	 * our messages, or a deadline that we did not send, of which the caller knows
	 * nothing.
	 */
	private static boolean isOurFault(Status status, @Nullable Metadata received, ReceivedFailure mark) {
		return switch (status.getCode()) {
			case UNAUTHENTICATED, PERMISSION_DENIED -> !mark.method().policy().relayAuthErrors();
			case UNIMPLEMENTED -> true;
			case RESOURCE_EXHAUSTED -> says(status, TOO_LARGE);
			case INVALID_ARGUMENT -> StatusDetails.find(received, Reason.DEADLINE_REQUIRED) != null;
			default -> false;
		};
	}

}
