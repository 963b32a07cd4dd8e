package io.github.grpcresilience.internal.gate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.internal.method.AttemptGate;
import io.github.grpcresilience.internal.method.AttemptGates;
import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * The gates that policies name. Immutable, safe for concurrent use.
 */
public final class PolicyGates implements AttemptGates {

	/**
	 * In which they are asked: first the one that says most about what is called, last
	 * the one that cannot take back what it gave.
	 */
	private static final List<SettingKey<String>> ORDER = List.of(GateSettings.BREAKER_INSTANCE,
			GateSettings.BREAKER_CONFIG, GateSettings.BULKHEAD, GateSettings.RATE_LIMITER);

	private final Map<SettingKey<String>, GateSource> sources;

	private final String remedy;

	/**
	 * Creates the gates.
	 * @param sources where they come from, at most one for each setting
	 * @param remedy what to do where a policy sets one of the others
	 */
	public PolicyGates(Collection<? extends GateSource> sources, String remedy) {
		this.sources = sources.stream().collect(Collectors.toUnmodifiableMap(GateSource::key, Function.identity()));
		this.remedy = remedy;
	}

	@Override
	public List<PolicyFault> check(PolicyDefinition definition) {
		List<PolicyFault> faults = new ArrayList<>();
		for (PolicyLayer layer : definition.policies()) {
			for (SettingKey<String> key : ORDER) {
				Setting<?> setting = layer.settings().get(key);
				PolicyFault fault = (setting != null) ? check(key, setting) : null;
				if (fault != null) {
					faults.add(fault);
				}
			}
		}
		return faults;
	}

	private @Nullable PolicyFault check(SettingKey<String> key, Setting<?> setting) {
		String name = key.cast(setting);
		if (name.isBlank()) {
			return null; // a mistake in itself, and known as one
		}
		GateSource source = this.sources.get(key);
		GateSource.Problem problem = (source != null) ? source.check(name)
				: new GateSource.Problem("cannot be found: there is no registry of what it names", this.remedy);
		return (problem != null) ? PolicyFault.of(setting, problem.rule(), problem.remedy()) : null;
	}

	@Override
	public @Nullable AttemptGate find(CalledMethodPolicy policy, String client, String method) {
		AttemptGate found = null;
		for (SettingKey<String> key : ORDER) {
			Setting<?> setting = policy.settings().get(key.name());
			if (setting != null) {
				AttemptGate gate = gate(key, setting, client, method);
				found = (found != null) ? new BothGates(found, gate) : gate;
			}
		}
		return found;
	}

	private AttemptGate gate(SettingKey<String> key, Setting<?> setting, String client, String method) {
		PolicyFault fault = check(key, setting);
		GateSource source = this.sources.get(key);
		if (fault != null) {
			throw new InvalidPolicyException(List.of(fault));
		}
		if (source == null) {
			throw new IllegalStateException("no source of " + key);
		}
		return source.gate(key.cast(setting), client, method);
	}

}
