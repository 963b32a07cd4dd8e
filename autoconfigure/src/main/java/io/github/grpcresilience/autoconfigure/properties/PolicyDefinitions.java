package io.github.grpcresilience.autoconfigure.properties;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Admission;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.AllowanceOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Client;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientConnectionOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientDeadline;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientDeadlineOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientKeepalive;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientKeepaliveOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ClientPolicy;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Hedge;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Retry;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Server;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerConnection;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerDeadline;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerDeadlineOverride;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerKeepalive;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ServerPolicy;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.TotalAdmission;
import io.github.grpcresilience.internal.policy.AdmissionSettings;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.CancellationSettings;
import io.github.grpcresilience.internal.policy.ConnectionLayer;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.DrainSettings;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.RelaySettings;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.policy.MissingDeadline;

/**
 * Turns properties into definitions: each value that somebody wrote with its origin.
 * Confined to one thread.
 */
public final class PolicyDefinitions {

	private static final String SERVER = "grpc.resilience.server";

	private static final String CLIENT = "grpc.resilience.client";

	private final BoundProperties bound;

	public PolicyDefinitions(BoundProperties bound) {
		this.bound = bound;
	}

	public PolicyDefinition server() {
		Server server = this.bound.properties().server();
		ServerDeadline deadline = server.deadline();
		ServerDeadlineOverride section = new ServerDeadlineOverride(deadline.missing(), deadline.defaultBudget(),
				deadline.max(), new AllowanceOverride(deadline.answerMargin().fraction(), deadline.answerMargin().min(),
						deadline.answerMargin().max()));
		List<PolicyLayer> layers = distinct(server.policies().keySet()).stream()
			.map((name) -> layer(name, server.policies().get(name)))
			.toList();
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>(settings(SERVER, section));
		TotalAdmission total = server.admission();
		putAll(settings, SERVER, new Admission(total.maxConcurrent(), total.adaptive(), total.maxPerSecond()));
		putAll(settings, server.connection());
		put(settings, SERVER, DrainSettings.PAUSE, server.drain().pause());
		put(settings, SERVER, DrainSettings.LIMIT, server.drain().limit());
		return new PolicyDefinition(Side.SERVER, SERVER, settings, layers,
				(server.exemptServices() != null) ? list(SERVER + ".exempt-services", server.exemptServices())
						: PolicyDefinition.builtIn(Side.SERVER).exemptServices(),
				List.of());
	}

	public PolicyDefinition client() {
		Client client = this.bound.properties().client();
		ClientDeadline deadline = client.deadline();
		ClientDeadlineOverride section = new ClientDeadlineOverride(deadline.missing(), deadline.defaultBudget(),
				deadline.max(), new AllowanceOverride(deadline.reserve().fraction(), deadline.reserve().min(),
						deadline.reserve().max()));
		List<PolicyLayer> layers = distinct(client.policies().keySet()).stream()
			.map((name) -> layer(name, client.policies().get(name)))
			.toList();
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>(settings(CLIENT, section));
		put(settings, CLIENT, AttemptSettings.BUDGET_RATIO, client.attemptBudget().ratio());
		put(settings, CLIENT, AttemptSettings.BUDGET_MIN_PER_SECOND, client.attemptBudget().minPerSecond());
		put(settings, CLIENT, AttemptSettings.BUDGET_WINDOW, client.attemptBudget().window());
		put(settings, CLIENT, ConnectionSettings.OUTLIER_DETECTION, client.connection().outlierDetection());
		put(settings, CLIENT, ConnectionSettings.WARM_UP, client.connection().warmUp());
		put(settings, CLIENT, ConnectionSettings.CONNECT_TIMEOUT, client.connection().connectTimeout());
		ClientKeepalive keepalive = client.connection().keepalive();
		putAll(settings, CLIENT + ".connection",
				new ClientKeepaliveOverride(keepalive.time(), keepalive.timeout(), keepalive.withoutCalls()));
		return new PolicyDefinition(Side.CLIENT, CLIENT, settings, layers, List.of(), connections(client));
	}

	private void putAll(Map<SettingKey<?>, Setting<?>> settings, ServerConnection connection) {
		put(settings, SERVER, ConnectionSettings.MAX_AGE, connection.maxAge());
		put(settings, SERVER, ConnectionSettings.MAX_AGE_GRACE, connection.maxAgeGrace());
		ServerKeepalive keepalive = connection.keepalive();
		put(settings, SERVER, ConnectionSettings.SERVER_TIME, keepalive.time());
		put(settings, SERVER, ConnectionSettings.TIMEOUT, keepalive.timeout());
		put(settings, SERVER, ConnectionSettings.PERMIT_TIME, keepalive.permitTime());
		put(settings, SERVER, ConnectionSettings.PERMIT_WITHOUT_CALLS, keepalive.permitWithoutCalls());
	}

	private List<ConnectionLayer> connections(Client client) {
		List<ConnectionLayer> layers = new ArrayList<>();
		for (String name : distinct(client.connections().keySet())) {
			ClientConnectionOverride connection = client.connections().get(name);
			String prefix = CLIENT + ".connections." + name;
			Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
			if (connection != null) {
				putAt(settings, prefix + ".outlier-detection", ConnectionSettings.OUTLIER_DETECTION,
						connection.outlierDetection());
				putAt(settings, prefix + ".warm-up", ConnectionSettings.WARM_UP, connection.warmUp());
				putAt(settings, prefix + ".connect-timeout", ConnectionSettings.CONNECT_TIMEOUT,
						connection.connectTimeout());
				if (connection.keepalive() != null) {
					putAll(settings, prefix, connection.keepalive());
				}
			}
			layers.add(new ConnectionLayer(name(prefix, name), settings));
		}
		return layers;
	}

	/**
	 * Takes the settings of connections of all clients, or of one.
	 * @param prefix what stands before {@code keepalive}
	 */
	private void putAll(Map<SettingKey<?>, Setting<?>> settings, String prefix, ClientKeepaliveOverride keepalive) {
		putAt(settings, prefix + ".keepalive.time", ConnectionSettings.CLIENT_TIME, keepalive.time());
		putAt(settings, prefix + ".keepalive.timeout", ConnectionSettings.TIMEOUT, keepalive.timeout());
		putAt(settings, prefix + ".keepalive.without-calls", ConnectionSettings.WITHOUT_CALLS,
				keepalive.withoutCalls());
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
		put(settings, prefix, CancellationSettings.INTERRUPT_ON_CANCEL, policy.interruptOnCancel());
		put(settings, prefix, CancellationSettings.COMMIT_AFTER_END, policy.commitAfterEnd());
		putAll(settings, prefix, policy.admission());
		return settings;
	}

	private void putAll(Map<SettingKey<?>, Setting<?>> settings, String prefix, @Nullable Admission admission) {
		if (admission != null) {
			put(settings, prefix, AdmissionSettings.MAX_CONCURRENT, admission.maxConcurrent());
			put(settings, prefix, AdmissionSettings.ADAPTIVE, admission.adaptive());
			put(settings, prefix, AdmissionSettings.MAX_PER_SECOND, admission.maxPerSecond());
		}
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
		put(settings, prefix, RelaySettings.RELAY_AUTH_ERRORS, policy.relayAuthErrors());
		put(settings, prefix, AttemptSettings.IDEMPOTENT, policy.idempotent());
		if (policy.retry() != null) {
			putRetry(settings, prefix, policy.retry());
		}
		if (policy.hedge() != null) {
			putHedge(settings, prefix, policy.hedge());
		}
		putGates(settings, prefix, policy);
		return settings;
	}

	private void putRetry(Map<SettingKey<?>, Setting<?>> settings, String prefix, Retry retry) {
		put(settings, prefix, AttemptSettings.RETRY_MAX_ATTEMPTS, retry.maxAttempts());
		put(settings, prefix, AttemptSettings.RETRYABLE_STATUS_CODES, retry.retryableStatusCodes());
		put(settings, prefix, AttemptSettings.INITIAL_BACKOFF, retry.initialBackoff());
		put(settings, prefix, AttemptSettings.MAX_BACKOFF, retry.maxBackoff());
		put(settings, prefix, AttemptSettings.BACKOFF_MULTIPLIER, retry.backoffMultiplier());
		put(settings, prefix, AttemptSettings.JITTER, retry.jitter());
		put(settings, prefix, AttemptSettings.ATTEMPT_TIMEOUT, retry.attemptTimeout());
	}

	private void putHedge(Map<SettingKey<?>, Setting<?>> settings, String prefix, Hedge hedge) {
		put(settings, prefix, AttemptSettings.HEDGE_MAX_ATTEMPTS, hedge.maxAttempts());
		put(settings, prefix, AttemptSettings.HEDGE_DELAY, hedge.delay());
		put(settings, prefix, AttemptSettings.NON_FATAL_STATUS_CODES, hedge.nonFatalStatusCodes());
	}

	private void putGates(Map<SettingKey<?>, Setting<?>> settings, String prefix, ClientPolicy policy) {
		if (policy.circuitBreaker() != null) {
			put(settings, prefix, GateSettings.BREAKER_INSTANCE, policy.circuitBreaker().instance());
			put(settings, prefix, GateSettings.BREAKER_CONFIG, policy.circuitBreaker().config());
		}
		if (policy.rateLimiter() != null) {
			put(settings, prefix, GateSettings.RATE_LIMITER, policy.rateLimiter().instance());
		}
		if (policy.bulkhead() != null) {
			put(settings, prefix, GateSettings.BULKHEAD, policy.bulkhead().instance());
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
				DeadlineSettings.allowance(Side.SERVER), deadline.answerMargin()) : Map.of();
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, @Nullable ClientDeadlineOverride deadline) {
		return (deadline != null) ? settings(prefix, deadline.missing(), deadline.defaultBudget(), deadline.max(),
				DeadlineSettings.allowance(Side.CLIENT), deadline.reserve()) : Map.of();
	}

	private Map<SettingKey<?>, Setting<?>> settings(String prefix, @Nullable MissingDeadline missing,
			@Nullable Duration defaultBudget, @Nullable Duration max, DeadlineSettings.AllowanceKeys keys,
			@Nullable AllowanceOverride allowance) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
		put(settings, prefix, DeadlineSettings.MISSING, missing);
		put(settings, prefix, DeadlineSettings.DEFAULT, defaultBudget);
		put(settings, prefix, DeadlineSettings.MAX, max);
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
		putAt(settings, prefix + "." + key.name(), key, value);
	}

	private <T> void putAt(Map<SettingKey<?>, Setting<?>> settings, String property, SettingKey<T> key,
			@Nullable T value) {
		Origin origin = this.bound.findOrigin(property);
		if (origin == null) {
			origin = this.bound.findOrigin(property + "[0]");
		}
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
