package io.github.grpcresilience.internal.connection;

import java.util.List;

import io.grpc.Deadline;
import io.grpc.LoadBalancerRegistry;
import io.grpc.ManagedChannelBuilder;
import io.grpc.NameResolver;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.time.Timer;

/**
 * How the calls of one channel are spread: by the policy that the channel would have
 * anyway, and by what is known of its backends. Lives as long as the channel. Safe for
 * concurrent use.
 */
public final class Balancing {

	static final NameResolver.Args.Key<Balancing> KEY = NameResolver.Args.Key.create("grpc-resilience-balancing");

	private static final int MANY_CALLS = 1_000;

	private final String policy;

	private final Backends backends;

	private volatile Use use = Use.NONE;

	private volatile String target = "";

	/** Why the target leads nowhere; absent while it does lead somewhere. */
	private volatile @Nullable String unresolved;

	/** Most addresses at a time. */
	private volatile int addresses;

	/**
	 * Prepares it.
	 * @param policy name of the policy that chooses
	 * @param shielded whether backends that fail or say nothing are left alone
	 * @param timer says when to look at backends
	 * @param ticker source of time
	 * @throws IllegalArgumentException if there is no policy of this name
	 */
	public Balancing(String policy, boolean shielded, Timer timer, Deadline.Ticker ticker) {
		if (LoadBalancerRegistry.getDefaultRegistry().getProvider(policy) == null) {
			throw new IllegalArgumentException("There is no load-balancing policy \"" + policy
					+ "\": write one that is on the class path, such as round_robin or pick_first");
		}
		this.policy = policy;
		this.backends = new Backends(shielded, timer, ticker);
	}

	/**
	 * Has a channel balance by it.
	 * @param channel the channel to be
	 */
	public void applyTo(ManagedChannelBuilder<?> channel) {
		channel.defaultLoadBalancingPolicy(BalancerProvider.NAME).setNameResolverArg(KEY, this);
	}

	/**
	 * The policy that chooses.
	 * @return its name
	 */
	public String policy() {
		return this.policy;
	}

	/**
	 * What has become of it.
	 * @return what the channel does with it
	 */
	public Use use() {
		return this.use;
	}

	/**
	 * The backends that are known at this moment.
	 * @return their states
	 */
	public List<BackendState> states() {
		return this.backends.describe();
	}

	/**
	 * What the channel leads to.
	 * @return the target; empty before the channel is in use
	 */
	public String target() {
		return this.target;
	}

	/**
	 * Whether many calls went to the only address that a name had, which may stand for
	 * more than one server.
	 * @return {@code false} if nobody would expect another
	 */
	public boolean isPinned() {
		return this.addresses == 1 && !this.policy.equals("pick_first") && Targets.mayBeSeveral(this.target)
				&& this.backends.describe().stream().mapToLong(BackendState::calls).sum() >= MANY_CALLS;
	}

	/**
	 * Why the channel knows no address.
	 * @return what its resolver says; {@code null} if it knows one
	 */
	public @Nullable String unresolved() {
		return this.unresolved;
	}

	void resolved(String target, int addresses) {
		this.target = target;
		this.addresses = Math.max(this.addresses, addresses);
		this.unresolved = null;
		this.use = Use.USED;
	}

	void unresolved(String target, Status error) {
		this.target = target;
		this.unresolved = error.getCode() + ((error.getDescription() != null) ? ": " + error.getDescription() : "");
		this.use = Use.USED;
	}

	Backends backends() {
		return this.backends;
	}

	void use(Use use) {
		this.use = use;
	}

	/** What a channel does with it. */
	public enum Use {

		/** Nothing yet. */
		NONE,

		/** The channel knows the policy, and has no addresses yet. */
		MADE,

		/** Calls are balanced by it. */
		USED,

		/** A service config names another policy, by which calls are balanced. */
		REPLACED

	}

}
