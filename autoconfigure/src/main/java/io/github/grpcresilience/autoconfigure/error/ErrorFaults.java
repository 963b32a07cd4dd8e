package io.github.grpcresilience.autoconfigure.error;

import java.util.List;

import org.springframework.util.unit.DataSize;

import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * Looks for faults in what is said of errors.
 */
public final class ErrorFaults {

	private static final String SIZE = "grpc.resilience.errors.max-details-size";

	private static final DataSize LEAST = DataSize.ofBytes(256);

	private static final DataSize MOST = DataSize.ofBytes(ErrorSettings.MOST_DETAILS_BYTES);

	private ErrorFaults() {
	}

	public static List<PolicyFault> of(BoundProperties bound) {
		DataSize size = bound.properties().errors().maxDetailsSize();
		if (size.compareTo(LEAST) >= 0 && size.compareTo(MOST) <= 0) {
			return List.of();
		}
		Origin origin = bound.originOfElement(SIZE, 0);
		return List.of(new PolicyFault(origin.property(), origin.location(), size.toString(),
				"must be 256B to 5KB: more breaks the connections of clients with gRPC's default limits",
				"write a size such as 4KB"));
	}

}
