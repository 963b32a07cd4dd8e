package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * Finds every mistake in one definition. Confined to one thread.
 */
final class PolicyCheck {

	private static final Pattern POLICY_NAME = Pattern.compile("[a-z][a-z0-9-]*");

	private final PolicyDefinition definition;

	private final PolicyTable table;

	private final Set<PolicyFault> faults = new LinkedHashSet<>();

	PolicyCheck(PolicyDefinition definition, PolicyTable table) {
		this.definition = definition;
		this.table = table;
	}

	List<PolicyFault> faults() {
		this.definition.exemptServices().forEach(this::checkExemptService);
		checkValues(this.definition.section());
		for (PolicyLayer layer : this.definition.policies()) {
			checkLayer(layer);
		}
		this.table.targets().forEach((target) -> checkConflicts(this.table.layersOf(target), target));
		checkCombinations();
		return new ArrayList<>(this.faults);
	}

	private void checkExemptService(Setting<String> service) {
		if (!MethodName.isService(service.value())) {
			this.faults.add(PolicyFault.of(service, "is not the full name of a service",
					"write package.Service, such as grpc.health.v1.Health"));
		}
	}

	private void checkValues(Map<SettingKey<?>, Setting<?>> settings) {
		Side side = this.definition.side();
		Stream.concat(SettingKey.all(side).stream(), SettingKey.ofSectionOnly(side).stream()).forEach((key) -> {
			Setting<?> setting = settings.get(key);
			PolicyFault fault = (setting != null) ? key.check(setting) : null;
			if (fault != null) {
				this.faults.add(fault);
			}
		});
	}

	private void checkLayer(PolicyLayer layer) {
		if (!POLICY_NAME.matcher(layer.name().value()).matches()) {
			this.faults.add(PolicyFault.of(layer.name(), "is not a policy name",
					"use lower-case letters, digits and dashes, starting with a letter"));
		}
		if (layer.methods().isEmpty()) {
			this.faults.add(new PolicyFault(layer.name().origin().property() + ".methods",
					layer.name().origin().location(), "", "a policy must name at least one method",
					"list package.Service/Method or package.Service under methods"));
		}
		for (Setting<String> method : layer.methods()) {
			if (!MethodName.isTarget(method.value())) {
				this.faults.add(PolicyFault.of(method, "is not the full name of a method or of a service",
						"write package.Service/Method or package.Service"));
			}
		}
		for (Setting<String> client : layer.clients()) {
			if (client.value().isBlank()) {
				this.faults.add(PolicyFault.of(client, "is not the name of a client", "name a client or remove it"));
			}
		}
		checkValues(layer.settings());
	}

	private void checkConflicts(List<PolicyLayer> layers, String target) {
		for (int i = 0; i < layers.size(); i++) {
			for (int j = i + 1; j < layers.size(); j++) {
				if (layers.get(i).competesWith(layers.get(j))) {
					checkConflict(layers.get(i), layers.get(j), target);
				}
			}
		}
	}

	private void checkConflict(PolicyLayer first, PolicyLayer second, String target) {
		for (SettingKey<?> key : SettingKey.all(this.definition.side())) {
			Setting<?> one = first.settings().get(key);
			Setting<?> other = second.settings().get(key);
			if (one != null && other != null) {
				this.faults.add(PolicyFault.of(other,
						"is set for " + target + " by policy " + first.name().value() + " too, at the same level ("
								+ one.origin().property() + " = " + SettingKey.render(one.value()) + ", "
								+ one.origin().location() + ")",
						"remove one of the two"));
			}
		}
	}

	private void checkCombinations() {
		checkCombination("*", null);
		for (String target : this.table.targets()) {
			checkCombination(target, null);
			for (PolicyLayer layer : this.table.layersOf(target)) {
				layer.clients().forEach((client) -> checkCombination(target, client.value()));
			}
		}
	}

	private void checkCombination(String target, @Nullable String client) {
		MergedSettings merged = this.table.merge(target, true, client);
		checkDefaultAgainstMax(merged);
		checkAttempts(merged);
		checkBreakers(merged);
		SettingKey.AllowanceKeys allowance = SettingKey.allowance(this.definition.side());
		Setting<?> min = findValid(merged, allowance.min());
		Setting<?> max = findValid(merged, allowance.max());
		if (min != null && max != null && compare(min, max) > 0) {
			Setting<?> blamed = min.origin().isBuiltIn() ? max : min;
			this.faults.add(PolicyFault.of(blamed,
					allowance.min().name() + " " + SettingKey.render(min.value()) + " (" + min.origin().location()
							+ ") is above " + allowance.max().name() + " " + SettingKey.render(max.value()) + " ("
							+ max.origin().location() + ")",
					"set both, min at most max"));
		}
	}

	private void checkBreakers(MergedSettings merged) {
		Setting<?> instance = findValid(merged, SettingKey.BREAKER_INSTANCE);
		Setting<?> config = findValid(merged, SettingKey.BREAKER_CONFIG);
		if (instance != null && config != null) {
			this.faults.add(PolicyFault.of(config,
					"stands beside " + instance.origin().property() + " = " + instance.value() + " ("
							+ instance.origin().location() + "), and a call has one circuit breaker",
					"keep the instance that all methods share, or the configuration of one breaker a method"));
		}
	}

	/**
	 * A default that is inherited from a weaker level is shortened to the max of the
	 * stronger one, as every longer deadline is. One that was written at the max's own
	 * level or a stronger one can never take effect: that is a mistake. Against the max
	 * of the section or a built-in one only the section's default is one; a policy may be
	 * for streams, which these do not concern.
	 */
	private void checkDefaultAgainstMax(MergedSettings merged) {
		Setting<?> value = findValid(merged, SettingKey.DEFAULT);
		Setting<?> max = findValid(merged, SettingKey.MAX);
		PolicyLevel level = merged.findLevel(SettingKey.DEFAULT);
		PolicyLevel maxLevel = merged.findLevel(SettingKey.MAX);
		if (value == null || max == null || level == null || maxLevel == null || compare(value, max) <= 0) {
			return;
		}
		boolean written = level != PolicyLevel.BUILT_IN && level.compareTo(maxLevel) >= 0;
		boolean boundByOthers = level.isPolicy() && !maxLevel.isPolicy();
		if (written && !boundByOthers) {
			this.faults.add(PolicyFault.of(value,
					"is above " + max.origin().property() + " = " + SettingKey.render(max.value()) + " ("
							+ max.origin().location() + ")",
					"set the default to at most " + SettingKey.render(max.value()) + ", or raise the max"));
		}
	}

	private void checkAttempts(MergedSettings merged) {
		Setting<?> retry = merged.findWritten(AttemptKeys.RETRY);
		Setting<?> hedge = merged.findWritten(AttemptKeys.HEDGE);
		if (retry != null && hedge != null) {
			this.faults.add(PolicyFault.of(hedge,
					"stands beside " + retry.origin().property() + " = " + SettingKey.render(retry.value()) + " ("
							+ retry.origin().location() + "), and a call is either retried or hedged",
					"keep retry or hedge, and remove the other one"));
		}
		Setting<?> initial = findValid(merged, AttemptKeys.INITIAL_BACKOFF);
		Setting<?> longest = findValid(merged, AttemptKeys.MAX_BACKOFF);
		if (initial != null && longest != null && compare(initial, longest) > 0) {
			this.faults.add(PolicyFault.of(initial.origin().isBuiltIn() ? longest : initial,
					AttemptKeys.INITIAL_BACKOFF.name() + " " + SettingKey.render(initial.value()) + " ("
							+ initial.origin().location() + ") is above " + AttemptKeys.MAX_BACKOFF.name() + " "
							+ SettingKey.render(longest.value()) + " (" + longest.origin().location() + ")",
					"set both, initial-backoff at most max-backoff"));
		}
		Setting<?> timeout = findValid(merged, AttemptKeys.ATTEMPT_TIMEOUT);
		Setting<?> max = findValid(merged, SettingKey.MAX);
		PolicyLevel maxLevel = merged.findLevel(SettingKey.MAX);
		// The max of the section does not concern streams, of which this may be one.
		if (timeout != null && max != null && maxLevel != null && maxLevel.isPolicy() && compare(timeout, max) > 0) {
			this.faults.add(PolicyFault.of(timeout,
					"is above " + max.origin().property() + " = " + SettingKey.render(max.value()) + " ("
							+ max.origin().location() + "), so it never ends an attempt",
					"set the timeout of one attempt to less than what the whole call may take"));
		}
	}

	/**
	 * Only values that are valid by themselves are compared with one another.
	 */
	private static @Nullable Setting<?> findValid(MergedSettings merged, SettingKey<?> key) {
		Setting<?> setting = merged.find(key);
		return (setting != null && key.check(setting) == null) ? setting : null;
	}

	private static int compare(Setting<?> one, Setting<?> other) {
		return ((Duration) one.value()).compareTo((Duration) other.value());
	}

}
