package io.github.grpcresilience.internal.policy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.policy.PolicyFault;

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
		Stream.concat(AllSettings.of(side).stream(), AllSettings.ofSectionOnly(side).stream()).forEach((key) -> {
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
		for (SettingKey<?> key : AllSettings.of(this.definition.side())) {
			Setting<?> one = first.settings().get(key);
			Setting<?> other = second.settings().get(key);
			if (one != null && other != null) {
				this.faults.add(PolicyFault.of(other,
						"is set for " + target + " by policy " + first.name().value() + " too, at the same level ("
								+ one.origin().property() + " = " + SettingText.of(one.value()) + ", "
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
		AllSettings.check(this.definition.side(), merged, this.faults::add);
	}

}
