package io.github.grpcresilience.autoconfigure.edge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.internal.cancel.http.BudgetHeader;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * Finds mistakes in the settings of the HTTP edge. Confined to one thread.
 */
public final class EdgeFaults {

	private static final String PREFIX = "grpc.resilience.edge.";

	private final BoundProperties bound;

	private final List<PolicyFault> faults = new ArrayList<>();

	private EdgeFaults(BoundProperties bound) {
		this.bound = bound;
	}

	public static List<PolicyFault> of(BoundProperties bound) {
		EdgeFaults found = new EdgeFaults(bound);
		Edge edge = bound.properties().edge();
		found.checkBudgets(edge.defaultBudget(), edge.maxBudget());
		found.checkHeaders(edge.deadlineHeaders());
		found.checkCodes(edge.statusCodes());
		found.checkStatuses("reasons", edge.reasons());
		found.checkPaths(edge.exemptPaths());
		return found.faults;
	}

	private void checkBudgets(@Nullable Duration defaultBudget, Duration maxBudget) {
		boolean maxIsPositive = checkPositive("max-budget", maxBudget);
		if (defaultBudget != null && checkPositive("default-budget", defaultBudget) && maxIsPositive
				&& defaultBudget.compareTo(maxBudget) > 0) {
			add("default-budget", SettingText.of(defaultBudget),
					"is above max-budget, which is " + SettingText.of(maxBudget),
					"raise max-budget or lower default-budget");
		}
	}

	private boolean checkPositive(String name, Duration value) {
		if (value.isZero() || value.isNegative()) {
			add(name, SettingText.of(value), "must be positive", "write a duration such as 250ms, 2s or 1m");
			return false;
		}
		return true;
	}

	private void checkHeaders(List<String> headers) {
		for (int i = 0; i < headers.size(); i++) {
			if (!BudgetHeader.isName(headers.get(i))) {
				addElement("deadline-headers", i, headers.get(i), "is not the name of a header that clients may set",
						"write a name such as grpc-timeout");
			}
		}
	}

	private void checkCodes(Map<String, Integer> statuses) {
		checkStatuses("status-codes", statuses);
		statuses.forEach((code, status) -> {
			if (EdgeStatuses.findCode(code) == null) {
				add("status-codes." + code, String.valueOf(status), "is not a gRPC status code of a failure",
						"write one of: " + Arrays.stream(Status.Code.values())
							.filter((known) -> known != Status.Code.OK)
							.map(Enum::name)
							.collect(Collectors.joining(", ")));
			}
		});
	}

	private void checkStatuses(String name, Map<String, Integer> statuses) {
		statuses.forEach((key, status) -> {
			if (status < 400 || status > 599) {
				add(name + "." + key, String.valueOf(status), "is not an HTTP status of a failure",
						"write a number from 400 to 599");
			}
		});
	}

	private void checkPaths(List<String> patterns) {
		for (int i = 0; i < patterns.size(); i++) {
			if (!EdgePaths.isPattern(patterns.get(i))) {
				addElement("exempt-paths", i, patterns.get(i), "is not a pattern of paths",
						"write one that begins with a slash, such as /reports/**");
			}
		}
	}

	private void add(String name, String value, String rule, String remedy) {
		add(this.bound.findOrigin(PREFIX + name), PREFIX + name, value, rule, remedy);
	}

	private void addElement(String name, int index, String value, String rule, String remedy) {
		add(this.bound.originOfElement(PREFIX + name, index), PREFIX + name, value, rule, remedy);
	}

	private void add(@Nullable Origin origin, String property, String value, String rule, String remedy) {
		Origin known = (origin != null) ? origin : Origin.builtIn(property);
		this.faults.add(new PolicyFault(known.property(), known.location(), value, rule, remedy));
	}

}
