package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.AllowanceOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Client;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientDeadline;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientDeadlineOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientPolicy;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Server;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerDeadline;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerDeadlineOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerPolicy;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.Origin;
import io.github.grpcresilience.policy.PolicyDefinition;
import io.github.grpcresilience.policy.PolicyLayer;
import io.github.grpcresilience.policy.Setting;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.policy.Side;

/**
 * Turns properties into definitions: each value that somebody wrote with its origin.
 * Confined to one thread.
 */
final class PolicyDefinitions {

	private static final String SERVER = "grpc.resilience.server";

	private static final String CLIENT = "grpc.resilience.client";

	private final BoundProperties bound;

	PolicyDefinitions(BoundProperties bound) {
		this.bound = bound;
	}

	PolicyDefinition server() {
		Server server = this.bound.properties().server();
		ServerDeadline deadline = server.deadline();
		ServerDeadlineOverride section = new ServerDeadlineOverride(deadline.missing(), deadline.defaultBudget(),
				deadline.max(), new AllowanceOverride(deadline.answerMargin().fraction(), deadline.answerMargin().min(),
						deadline.answerMargin().max()));
		List<PolicyLayer> layers = distinct(server.policies().keySet()).stream()
			.map((name) -> layer(name, server.policies().get(name)))
			.toList();
		return new PolicyDefinition(Side.SERVER, SERVER, settings(SERVER, section), layers,
				(server.exemptServices() != null) ? list(SERVER + ".exempt-services", server.exemptServices())
						: PolicyDefinition.builtIn(Side.SERVER).exemptServices());
	}

	PolicyDefinition client() {
		Client client = this.bound.properties().client();
		ClientDeadline deadline = client.deadline();
		ClientDeadlineOverride section = new ClientDeadlineOverride(deadline.missing(), deadline.defaultBudget(),
				deadline.max(), new AllowanceOverride(deadline.reserve().fraction(), deadline.reserve().min(),
						deadline.reserve().max()));
		List<PolicyLayer> layers = distinct(client.policies().keySet()).stream()
			.map((name) -> layer(name, client.policies().get(name)))
			.toList();
		return new PolicyDefinition(Side.CLIENT, CLIENT, settings(CLIENT, section), layers, List.of());
	}

	/**
	 * Names that differ in dashes only are one policy: relaxed binding has given them the
	 * same values, so all but the most legible one are left out.
	 */
	private static Collection<String> distinct(Set<String> names) {
		Map<String, String> distinct = new LinkedHashMap<>();
		names.forEach((name) -> distinct.merge(BoundProperties.key(name), name,
				(one, other) -> (one.length() >= other.length()) ? one : other));
		return distinct.values();
	}

	private PolicyLayer layer(String name, @Nullable ServerPolicy policy) {
		String prefix = SERVER + ".policies." + name;
		return new PolicyLayer(name(prefix, name),
				list(prefix + ".methods", (policy != null) ? policy.methods() : null), List.of(),
				(policy != null) ? settings(prefix, policy) : Map.of());
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, ServerPolicy policy) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>(settings(prefix, policy.deadline()));
		put(settings, prefix, SettingKey.INTERRUPT_ON_CANCEL, policy.interruptOnCancel());
		return settings;
	}

	private PolicyLayer layer(String name, @Nullable ClientPolicy policy) {
		String prefix = CLIENT + ".policies." + name;
		return new PolicyLayer(name(prefix, name),
				list(prefix + ".methods", (policy != null) ? policy.methods() : null),
				list(prefix + ".clients", (policy != null) ? policy.clients() : null),
				(policy != null) ? settings(prefix, policy) : Map.of());
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, ClientPolicy policy) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>(settings(prefix, policy.deadline()));
		put(settings, prefix, SettingKey.RELAY_AUTH_ERRORS, policy.relayAuthErrors());
		putGates(settings, prefix, policy);
		return settings;
	}

	private void putGates(Map<SettingKey<?>, Setting<?>> settings, String prefix, ClientPolicy policy) {
		if (policy.circuitBreaker() != null) {
			put(settings, prefix, SettingKey.BREAKER_INSTANCE, policy.circuitBreaker().instance());
			put(settings, prefix, SettingKey.BREAKER_CONFIG, policy.circuitBreaker().config());
		}
		if (policy.rateLimiter() != null) {
			put(settings, prefix, SettingKey.RATE_LIMITER, policy.rateLimiter().instance());
		}
		if (policy.bulkhead() != null) {
			put(settings, prefix, SettingKey.BULKHEAD, policy.bulkhead().instance());
		}
	}

	private Setting<String> name(String prefix, String name) {
		String key = BoundProperties.key(prefix) + ".";
		String location = this.bound.origins()
			.entrySet()
			.stream()
			.filter((entry) -> entry.getKey().startsWith(key))
			.map((entry) -> entry.getValue().location())
			.min(String::compareTo)
			.orElse("unknown source");
		return new Setting<>(name, new Origin(prefix, location));
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, @Nullable ServerDeadlineOverride deadline) {
		return (deadline != null) ? settings(prefix, deadline.missing(), deadline.defaultBudget(), deadline.max(),
				SettingKey.allowance(Side.SERVER), deadline.answerMargin()) : Map.of();
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, @Nullable ClientDeadlineOverride deadline) {
		return (deadline != null) ? settings(prefix, deadline.missing(), deadline.defaultBudget(), deadline.max(),
				SettingKey.allowance(Side.CLIENT), deadline.reserve()) : Map.of();
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, @Nullable MissingDeadline missing,
			@Nullable Duration defaultBudget, @Nullable Duration max, SettingKey.AllowanceKeys keys,
			@Nullable AllowanceOverride allowance) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
		put(settings, prefix, SettingKey.MISSING, missing);
		put(settings, prefix, SettingKey.DEFAULT, defaultBudget);
		put(settings, prefix, SettingKey.MAX, max);
		if (allowance != null) {
			put(settings, prefix, keys.fraction(), allowance.fraction());
			put(settings, prefix, keys.min(), allowance.min());
			put(settings, prefix, keys.max(), allowance.max());
		}
		return settings;
	}

	/**
	 * Keeps a value that somebody wrote; the others are built-in, and the core knows
	 * them.
	 */
	private <T> void put(Map<SettingKey<?>, Setting<?>> settings, String prefix, SettingKey<T> key, @Nullable T value) {
		Origin origin = this.bound.findOrigin(prefix + "." + key.name());
		if (value != null && origin != null) {
			settings.put(key, new Setting<>(value, origin));
		}
	}

	private List<Setting<String>> list(String property, @Nullable List<String> values) {
		if (values == null) {
			return List.of();
		}
		return IntStream.range(0, values.size())
			.mapToObj((i) -> new Setting<>(values.get(i), this.bound.originOfElement(property, i)))
			.toList();
	}

}
