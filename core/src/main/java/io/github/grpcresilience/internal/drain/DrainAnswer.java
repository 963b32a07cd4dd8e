package io.github.grpcresilience.internal.drain;

import java.util.List;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.status.RetryDelay;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * What the callers are told of a server that goes away: another one will serve them.
 * Never a {@code grpc-retry-pushback-ms}: clients of grpc-java would try again whatever
 * the code, also those whose service config does not list it.
 *
 * @param service name of this application
 * @param delay when callers shall try again
 */
record DrainAnswer(String service, RetryDelay delay) {

	Status write(Metadata trailers, String method) {
		Status status = Status.UNAVAILABLE.withDescription("the server is shutting down");
		ErrorInfo info = ErrorInfo.newBuilder()
			.setReason(Reason.DRAINING.name())
			.setDomain(StatusDetails.DOMAIN)
			.putMetadata("method", method)
			.putMetadata("service", this.service)
			.putMetadata("side", "server")
			.build();
		StatusDetails.put(trailers, status, List.of(Any.pack(info), this.delay.detail(0)));
		return status;
	}

}
