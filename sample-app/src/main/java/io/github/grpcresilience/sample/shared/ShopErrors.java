package io.github.grpcresilience.sample.shared;

import java.util.Map;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;

/**
 * The shop's own failures: a status with a reason that programs can read (AIP-193).
 */
public final class ShopErrors {

	private ShopErrors() {
	}

	/**
	 * Builds a failure of the domain {@code shop}.
	 * @param code the status code
	 * @param reason the stable reason, such as {@code OUT_OF_STOCK}
	 * @param message a short text for people
	 * @return the failure, with one {@link ErrorInfo} in its trailers
	 */
	public static StatusRuntimeException of(Code code, String reason, String message) {
		return of(code, reason, message, Map.of());
	}

	/**
	 * Builds a failure of the domain {@code shop} that says more.
	 * @param code the status code
	 * @param reason the stable reason, such as {@code OUT_OF_STOCK}
	 * @param message a short text for people
	 * @param metadata what else programs may want to know
	 * @return the failure, with one {@link ErrorInfo} in its trailers
	 */
	public static StatusRuntimeException of(Code code, String reason, String message, Map<String, String> metadata) {
		ErrorInfo info = ErrorInfo.newBuilder().setDomain("shop").setReason(reason).putAllMetadata(metadata).build();
		return StatusProto.toStatusRuntimeException(
				Status.newBuilder().setCode(code.getNumber()).setMessage(message).addDetails(Any.pack(info)).build());
	}

}
