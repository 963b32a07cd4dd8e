package io.github.grpcresilience.internal.admission;

import java.util.List;
import java.util.Locale;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.internal.admission.MethodAdmission.Refusal;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.status.RetryDelay;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * What the callers of refused calls are told. Never a {@code grpc-retry-pushback-ms}:
 * clients of grpc-java would try again whatever the code, also those whose service config
 * does not list it.
 */
final class AdmissionAnswer {

	private final String service;

	private final RetryDelay delay;

	AdmissionAnswer(String service, RetryDelay delay) {
		this.service = service;
		this.delay = delay;
	}

	Status refused(Metadata trailers, ServedMethod method, Refusal refusal) {
		Gate gate = refusal.gate();
		String scope = gate.scope().name().toLowerCase(Locale.ROOT);
		Status status = Status.RESOURCE_EXHAUSTED.withDescription((gate.reason() == Reason.RATE_LIMIT)
				? "too many calls: this " + scope + " takes " + gate.limit() + " per second"
				: "too many calls at once: this " + scope + " takes " + gate.limit());
		ErrorInfo info = ErrorInfo.newBuilder()
			.setReason(gate.reason().name())
			.setDomain(StatusDetails.DOMAIN)
			.putMetadata("method", method.name())
			.putMetadata("service", this.service)
			.putMetadata("side", "server")
			.putMetadata("limit", gate.limit())
			.putMetadata("scope", scope)
			.build();
		StatusDetails.put(trailers, status, List.of(Any.pack(info), this.delay.detail(refusal.waitNanos())));
		return status;
	}

}
