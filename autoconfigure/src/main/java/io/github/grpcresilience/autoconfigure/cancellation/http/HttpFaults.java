package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.util.ArrayList;
import java.util.List;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.HttpWork;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.internal.cancel.http.BudgetHeader;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * Finds mistakes in what HTTP servers are told.
 */
public final class HttpFaults {

	private static final String PREFIX = "grpc.resilience.cancellation.http.";

	private HttpFaults() {
	}

	public static List<PolicyFault> of(BoundProperties bound) {
		HttpWork http = bound.properties().cancellation().http();
		List<PolicyFault> faults = new ArrayList<>();
		if (!BudgetHeader.isName(http.budgetHeader())) {
			faults.add(fault(bound.originOfElement(PREFIX + "budget-header", 0), http.budgetHeader(),
					"is not the name of a header that may be set", "write a name such as grpc-timeout"));
		}
		for (int i = 0; i < http.budgetHosts().size(); i++) {
			String host = http.budgetHosts().get(i);
			if (!BudgetHeader.isHost(host)) {
				faults.add(fault(bound.originOfElement(PREFIX + "budget-hosts", i), host,
						"is neither the name of a host nor *.domain",
						"write a name such as api.example.com or *.example.com, without scheme, port and path"));
			}
		}
		return faults;
	}

	private static PolicyFault fault(Origin origin, String value, String rule, String remedy) {
		return new PolicyFault(origin.property(), origin.location(), value, rule, remedy);
	}

}
