package io.github.grpcresilience.policy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.AdmissionSettings;
import io.github.grpcresilience.internal.policy.CancellationSettings;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.DrainSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;

/**
 * What is asked of the calls that are served, written in Java: the same settings as below
 * {@code grpc.resilience.server}, checked in the same way. What is not written has its
 * built-in value. Confined to one thread.
 */
public final class ServerPolicies extends WrittenSettings<ServerPolicies> {

	private static final String PREFIX = PolicyDefinition.builtIn(Side.SERVER).prefix();

	private final List<PolicyLayer> policies = new ArrayList<>();

	private @Nullable List<Setting<String>> exempt;

	/**
	 * Begins with the built-in values.
	 */
	public ServerPolicies() {
		super(Side.SERVER, PREFIX);
	}

	@Override
	ServerPolicies self() {
		return this;
	}

	/**
	 * How long before its deadline a call is answered, at most a tenth of its budget.
	 * @param fraction share of the budget, 0 to 1
	 * @param min at least this long; zero for no lower bound
	 * @param max at most this long
	 * @return this
	 */
	public ServerPolicies answerMargin(double fraction, Duration min, Duration max) {
		return putAllowance(fraction, min, max);
	}

	/**
	 * Most calls of all methods together that run at once.
	 * @param calls at least 1
	 * @return this
	 */
	public ServerPolicies maxConcurrent(int calls) {
		return put(AdmissionSettings.MAX_CONCURRENT, calls);
	}

	/**
	 * Most calls of all methods together that start within a second.
	 * @param calls 0.001 to 1,000,000
	 * @return this
	 */
	public ServerPolicies maxPerSecond(double calls) {
		return put(AdmissionSettings.MAX_PER_SECOND, calls);
	}

	/**
	 * Finds by measuring how many unary calls of all methods may run at once; needs
	 * {@code adaptiveLimits} at the builder.
	 * @return this
	 */
	public ServerPolicies adaptive() {
		return put(AdmissionSettings.ADAPTIVE, true);
	}

	/**
	 * How old a connection may get, give or take a tenth, before its calls go to a new
	 * one; streams stay where they are.
	 * @param age at least 1 s; zero for any age
	 * @return this
	 */
	public ServerPolicies maxConnectionAge(Duration age) {
		return put(ConnectionSettings.MAX_AGE, age);
	}

	/**
	 * How long calls and streams of a connection that is too old may go on; for ever if
	 * not said.
	 * @param grace a positive time
	 * @return this
	 */
	public ServerPolicies maxConnectionAgeGrace(Duration grace) {
		return put(ConnectionSettings.MAX_AGE_GRACE, grace);
	}

	/**
	 * How a client that is dead is noticed; as gRPC does if not said.
	 * @param time after which silence is asked about, at least 1 s; zero for never
	 * @param timeout how long the answer may take
	 * @return this
	 */
	public ServerPolicies keepAlive(Duration time, Duration timeout) {
		put(ConnectionSettings.SERVER_TIME, time);
		return put(ConnectionSettings.TIMEOUT, timeout);
	}

	/**
	 * How often clients may ask whether this server lives; 5 min and only while they make
	 * calls if not said.
	 * @param time least time between two questions
	 * @param withoutCalls whether they may while they make no call
	 * @return this
	 */
	public ServerPolicies permitKeepAlive(Duration time, boolean withoutCalls) {
		put(ConnectionSettings.PERMIT_TIME, time);
		return put(ConnectionSettings.PERMIT_WITHOUT_CALLS, withoutCalls);
	}

	/**
	 * How a server goes away that {@code GrpcResilience.drain()} shuts down.
	 * @param pause how long it still serves as ever, with its health down, 0 to 1 h
	 * @param limit how long calls in flight may then go on, 0 to 1 h; what is left after
	 * it ends as {@code UNAVAILABLE}
	 * @return this
	 */
	public ServerPolicies drain(Duration pause, Duration limit) {
		put(DrainSettings.PAUSE, pause);
		return put(DrainSettings.LIMIT, limit);
	}

	/**
	 * Services whose calls pass untouched, in place of health, reflection and channelz.
	 * @param services full names
	 * @return this
	 */
	public ServerPolicies exemptServices(String... services) {
		List<Setting<String>> exempt = new ArrayList<>();
		writeAll(exempt, "exempt-services", List.of(services));
		this.exempt = exempt;
		return this;
	}

	/**
	 * Asks something else of some methods.
	 * @param name lower-case letters, digits and dashes
	 * @param policy writes the settings
	 * @return this
	 */
	public ServerPolicies policy(String name, Consumer<Policy> policy) {
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
		return new PolicyDefinition(Side.SERVER, PREFIX, settings(), this.policies,
				(this.exempt != null) ? this.exempt : PolicyDefinition.builtIn(Side.SERVER).exemptServices(),
				List.of());
	}

	/**
	 * What is asked of some methods. Confined to one thread.
	 */
	public static final class Policy extends WrittenPolicy<Policy> {

		Policy(String name) {
			super(Side.SERVER, PREFIX, name);
		}

		@Override
		Policy self() {
			return this;
		}

		/**
		 * How long before its deadline a call is answered, at most a tenth of its budget.
		 * @param fraction share of the budget, 0 to 1
		 * @param min at least this long; zero for no lower bound
		 * @param max at most this long
		 * @return this
		 */
		public Policy answerMargin(double fraction, Duration min, Duration max) {
			return putAllowance(fraction, min, max);
		}

		/**
		 * Interrupts threads that work for a call when it ends.
		 * @return this
		 */
		public Policy interruptOnCancel() {
			return put(CancellationSettings.INTERRUPT_ON_CANCEL, true);
		}

		/**
		 * What happens to a transaction that is to be committed after its call has ended.
		 * @param commits whether it may be
		 * @return this
		 */
		public Policy commitAfterEnd(CommitAfterEnd commits) {
			return put(CancellationSettings.COMMIT_AFTER_END, commits);
		}

		/**
		 * Most calls of a method that run at once.
		 * @param calls at least 1
		 * @return this
		 */
		public Policy maxConcurrent(int calls) {
			return put(AdmissionSettings.MAX_CONCURRENT, calls);
		}

		/**
		 * Most calls of a method that start within a second.
		 * @param calls 0.001 to 1,000,000
		 * @return this
		 */
		public Policy maxPerSecond(double calls) {
			return put(AdmissionSettings.MAX_PER_SECOND, calls);
		}

		/**
		 * Finds by measuring how many unary calls of a method may run at once; needs
		 * {@code adaptiveLimits} at the builder.
		 * @return this
		 */
		public Policy adaptive() {
			return put(AdmissionSettings.ADAPTIVE, true);
		}

	}

}
