package io.github.grpcresilience.benchmarks.floor;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;

/**
 * A rich answer to a call whose time is up.
 */
final class Details {

	private static final Metadata.Key<com.google.rpc.Status> KEY = Metadata.Key.of("grpc-status-details-bin",
			ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance()));

	private Details() {
	}

	static boolean isIn(Metadata trailers) {
		return trailers.containsKey(KEY);
	}

	static void put(Metadata trailers, Status status, String method) {
		trailers.put(KEY,
				com.google.rpc.Status.newBuilder()
					.setCode(status.getCode().value())
					.setMessage(String.valueOf(status.getDescription()))
					.addDetails(Any.pack(ErrorInfo.newBuilder()
						.setDomain("floor")
						.setReason("DEADLINE_EXCEEDED")
						.putMetadata("method", method)
						.build()))
					.build());
	}

}
