package io.github.grpcresilience.internal.stream;

import java.util.HashMap;
import java.util.Map;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * What the reader of a stream is told who does not keep up with it.
 */
final class SlowConsumer {

	private SlowConsumer() {
	}

	/**
	 * Ends a stream.
	 * @param service name of this application
	 * @param call the call; {@code null} if its server is not protected
	 * @return what the call fails with
	 */
	static StatusRuntimeException failure(String service, @Nullable CallRecord call) {
		Map<String, String> metadata = new HashMap<>();
		metadata.put("service", service);
		ServedMethod method = (call != null) ? call.method() : null;
		if (method != null) {
			metadata.put("method", method.name());
			method.decided(Reason.SLOW_CONSUMER, true);
		}
		Status status = Status.RESOURCE_EXHAUSTED.withDescription("the stream was read too slowly");
		Metadata trailers = new Metadata();
		StatusDetails.put(trailers, status, Reason.SLOW_CONSUMER, metadata);
		return status.asRuntimeException(trailers);
	}

}
