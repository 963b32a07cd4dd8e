package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

import io.grpc.Status;

import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.ConnectionLayer;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.GateSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.RelaySettings;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;

/**
 * What is asked of the calls that clients make, written in Java: the same settings as
 * below {@code grpc.resilience.client}, checked in the same way. What is not written has
 * its built-in value. Confined to one thread.
 */
public final class ClientPolicies extends WrittenSettings<ClientPolicies> {

	private static final String PREFIX = PolicyDefinition.builtIn(Side.CLIENT).prefix();

	private final List<PolicyLayer> policies = new ArrayList<>();

	private final List<ConnectionLayer> connections = new ArrayList<>();

	/**
	 * Begins with the built-in values.
	 */
	public ClientPolicies() {
		super(Side.CLIENT, PREFIX);
	}

	@Override
	ClientPolicies self() {
		return this;
	}

	/**
	 * What is held back of an inherited budget, at most half of it.
	 * @param fraction share of what is left, 0 to 1
	 * @param min at least this long; zero for no lower bound
	 * @param max at most this long
	 * @return this
	 */
	public ClientPolicies reserve(double fraction, Duration min, Duration max) {
		return putAllowance(fraction, min, max);
	}

	/**
	 * What a client may add to its calls in further attempts.
	 * @param ratio attempts that each call adds, 0 to 1
	 * @param minPerSecond attempts that each second adds
	 * @param window how long the client may keep them, 1 s to 1 h
	 * @return this
	 */
	public ClientPolicies attemptBudget(double ratio, double minPerSecond, Duration window) {
		put(AttemptSettings.BUDGET_RATIO, ratio);
		put(AttemptSettings.BUDGET_MIN_PER_SECOND, minPerSecond);
		return put(AttemptSettings.BUDGET_WINDOW, window);
	}

	/**
	 * How long clients try one address before they try the next one.
	 * @param timeout 1 ms to 1 h
	 * @return this
	 */
	public ClientPolicies connectTimeout(Duration timeout) {
		return put(ConnectionSettings.CONNECT_TIMEOUT, timeout);
	}

	/**
	 * How long one client tries one address before it tries the next one.
	 * @param client name of the client
	 * @param timeout 1 ms to 1 h
	 * @return this
	 */
	public ClientPolicies connectTimeout(String client, Duration timeout) {
		return connection(client, ConnectionSettings.CONNECT_TIMEOUT, "connect-timeout", timeout);
	}

	private <T> ClientPolicies connection(String client, SettingKey<T> key, String name, T value) {
		String prefix = "connections." + client;
		this.connections
			.add(new ConnectionLayer(written(prefix, client), Map.of(key, written(prefix + "." + name, value))));
		return this;
	}

	/**
	 * Whether clients leave a backend alone that fails, or says nothing, while the others
	 * do not.
	 * @param enabled {@code false} to go on asking all of them
	 * @return this
	 */
	public ClientPolicies outlierDetection(boolean enabled) {
		return put(ConnectionSettings.OUTLIER_DETECTION, enabled);
	}

	/**
	 * Whether one client leaves a backend alone that fails, or says nothing, while the
	 * others do not.
	 * @param client name of the client
	 * @param enabled {@code false} to go on asking all of them
	 * @return this
	 */
	public ClientPolicies outlierDetection(String client, boolean enabled) {
		return connection(client, ConnectionSettings.OUTLIER_DETECTION, "outlier-detection", enabled);
	}

	/**
	 * Whether clients connect as soon as their channels are learned, instead of with the
	 * first call.
	 * @param enabled {@code true} to do so
	 * @return this
	 */
	public ClientPolicies warmUp(boolean enabled) {
		return put(ConnectionSettings.WARM_UP, enabled);
	}

	/**
	 * How a server that is dead is noticed, by all clients.
	 * @param time after which silence is asked about, at least 10 s; zero for never.
	 * Servers close connections on which they are asked more often than they permit, and
	 * they permit it every 5 min unless told otherwise
	 * @param timeout how long the answer may take
	 * @param withoutCalls whether to ask while there is no call
	 * @return this
	 */
	public ClientPolicies keepAlive(Duration time, Duration timeout, boolean withoutCalls) {
		put(ConnectionSettings.CLIENT_TIME, time);
		put(ConnectionSettings.TIMEOUT, timeout);
		return put(ConnectionSettings.WITHOUT_CALLS, withoutCalls);
	}

	/**
	 * How a server that is dead is noticed, by one client.
	 * @param client name of the client
	 * @param time after which silence is asked about, at least 10 s; zero for never
	 * @param timeout how long the answer may take
	 * @param withoutCalls whether to ask while there is no call
	 * @return this
	 */
	public ClientPolicies keepAlive(String client, Duration time, Duration timeout, boolean withoutCalls) {
		String prefix = "connections." + client + ".keepalive.";
		this.connections.add(new ConnectionLayer(written("connections." + client, client),
				Map.of(ConnectionSettings.CLIENT_TIME, written(prefix + "time", time), ConnectionSettings.TIMEOUT,
						written(prefix + "timeout", timeout), ConnectionSettings.WITHOUT_CALLS,
						written(prefix + "without-calls", withoutCalls))));
		return this;
	}

	/**
	 * Asks something else of some methods.
	 * @param name lower-case letters, digits and dashes
	 * @param policy writes the settings
	 * @return this
	 */
	public ClientPolicies policy(String name, Consumer<Policy> policy) {
		Policy written = new Policy(name);
		policy.accept(written);
		this.policies.add(written.layer());
		return this;
	}

	/**
	 * What was written.
	 * @return the definition, not checked yet
	 */
	public PolicyDefinition define() {
		return new PolicyDefinition(Side.CLIENT, PREFIX, settings(), this.policies, List.of(), this.connections);
	}

	private static Set<Status.Code> codes(Status.Code first, Status.Code... more) {
		return EnumSet.of(first, more);
	}

	/**
	 * What is asked of some methods. Confined to one thread.
	 */
	public static final class Policy extends WrittenPolicy<Policy> {

		Policy(String name) {
			super(Side.CLIENT, PREFIX, name);
		}

		@Override
		Policy self() {
			return this;
		}

		/**
		 * The clients that the settings are for; all if not said.
		 * @param names names of clients
		 * @return this
		 */
		public Policy clients(String... names) {
			return addClients(names);
		}

		/**
		 * What is held back of an inherited budget, at most half of it.
		 * @param fraction share of what is left, 0 to 1
		 * @param min at least this long; zero for no lower bound
		 * @param max at most this long
		 * @return this
		 */
		public Policy reserve(double fraction, Duration min, Duration max) {
			return putAllowance(fraction, min, max);
		}

		/**
		 * Calls may be made more than once, although the proto does not say so.
		 * @return this
		 */
		public Policy idempotent() {
			return put(AttemptSettings.IDEMPOTENT, true);
		}

		/**
		 * Callers are told that a call was refused for want of rights.
		 * @return this
		 */
		public Policy relayAuthErrors() {
			return put(RelaySettings.RELAY_AUTH_ERRORS, true);
		}

		/**
		 * Attempts calls again that failed.
		 * @param retry writes what differs from the built-in values
		 * @return this
		 */
		public Policy retry(Consumer<Retry> retry) {
			// One of its settings has to be there for retries to be made.
			put(AttemptSettings.RETRY_MAX_ATTEMPTS, 3);
			retry.accept(new Retry(this));
			return this;
		}

		/**
		 * Makes another attempt beside one that takes long.
		 * @param hedge writes what differs from the built-in values
		 * @return this
		 */
		public Policy hedge(Consumer<Hedge> hedge) {
			put(AttemptSettings.HEDGE_MAX_ATTEMPTS, 2);
			hedge.accept(new Hedge(this));
			return this;
		}

		/**
		 * The circuit breaker that the methods share; needs {@code attemptGates} at the
		 * builder, as do the next three.
		 * @param name its name in the registry
		 * @return this
		 */
		public Policy circuitBreaker(String name) {
			return put(GateSettings.BREAKER_INSTANCE, name);
		}

		/**
		 * A circuit breaker for each method.
		 * @param name name of their configuration in the registry
		 * @return this
		 */
		public Policy circuitBreakerConfig(String name) {
			return put(GateSettings.BREAKER_CONFIG, name);
		}

		/**
		 * The bulkhead that the methods share.
		 * @param name its name in the registry
		 * @return this
		 */
		public Policy bulkhead(String name) {
			return put(GateSettings.BULKHEAD, name);
		}

		/**
		 * The rate limiter that the methods share.
		 * @param name its name in the registry
		 * @return this
		 */
		public Policy rateLimiter(String name) {
			return put(GateSettings.RATE_LIMITER, name);
		}

	}

	/**
	 * How calls are attempted again. Confined to one thread.
	 */
	public static final class Retry {

		private final Policy policy;

		Retry(Policy policy) {
			this.policy = policy;
		}

		private <T> Retry put(SettingKey<T> key, T value) {
			this.policy.put(key, value);
			return this;
		}

		/**
		 * Most attempts, the first included.
		 * @param attempts 1 to 10; 3 if not set
		 * @return this
		 */
		public Retry maxAttempts(int attempts) {
			return put(AttemptSettings.RETRY_MAX_ATTEMPTS, attempts);
		}

		/**
		 * Codes after which there is another attempt, UNAVAILABLE alone if not set.
		 * @param first a code that is not OK
		 * @param more further codes
		 * @return this
		 */
		public Retry retryableStatusCodes(Status.Code first, Status.Code... more) {
			return put(AttemptSettings.RETRYABLE_STATUS_CODES, codes(first, more));
		}

		/**
		 * How long to wait before the next attempt.
		 * @param initial wait before the second attempt; 50 ms if not set
		 * @param max longest wait; 1 s if not set
		 * @param multiplier factor from one wait to the next, 1 to 100; 2 if not set
		 * @return this
		 */
		public Retry backoff(Duration initial, Duration max, double multiplier) {
			put(AttemptSettings.INITIAL_BACKOFF, initial);
			put(AttemptSettings.MAX_BACKOFF, max);
			return put(AttemptSettings.BACKOFF_MULTIPLIER, multiplier);
		}

		/**
		 * Share by which a wait is changed at random.
		 * @param share 0 to 1; 0.2 if not set
		 * @return this
		 */
		public Retry jitter(double share) {
			return put(AttemptSettings.JITTER, share);
		}

		/**
		 * Longest time of one attempt from when it is sent. It bounds a stream only up to
		 * its response headers, and only where the policy names the method itself.
		 * @param timeout a positive time; no bound if not set
		 * @return this
		 */
		public Retry attemptTimeout(Duration timeout) {
			return put(AttemptSettings.ATTEMPT_TIMEOUT, timeout);
		}

	}

	/**
	 * How attempts are made beside others. Confined to one thread.
	 */
	public static final class Hedge {

		private final Policy policy;

		Hedge(Policy policy) {
			this.policy = policy;
		}

		private <T> Hedge put(SettingKey<T> key, T value) {
			this.policy.put(key, value);
			return this;
		}

		/**
		 * Most attempts, the first included.
		 * @param attempts 1 to 10; 2 if not set
		 * @return this
		 */
		public Hedge maxAttempts(int attempts) {
			return put(AttemptSettings.HEDGE_MAX_ATTEMPTS, attempts);
		}

		/**
		 * How long an attempt may take before the next one.
		 * @param delay a time or a percentile; the 95th percentile if not set
		 * @return this
		 */
		public Hedge delay(HedgeDelay delay) {
			return put(AttemptSettings.HEDGE_DELAY, delay);
		}

		/**
		 * Codes after which the next attempt is made at once, UNAVAILABLE alone if not
		 * set.
		 * @param first a code that is not OK
		 * @param more further codes
		 * @return this
		 */
		public Hedge nonFatalStatusCodes(Status.Code first, Status.Code... more) {
			return put(AttemptSettings.NON_FATAL_STATUS_CODES, codes(first, more));
		}

	}

}
