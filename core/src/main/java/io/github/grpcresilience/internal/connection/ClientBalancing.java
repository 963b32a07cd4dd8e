package io.github.grpcresilience.internal.connection;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Deadline;

import io.github.grpcresilience.internal.time.Timer;

/**
 * How the calls of one client are spread, channel by channel. Channels are forgotten with
 * their last user. Safe for concurrent use.
 */
public final class ClientBalancing {

	private final boolean shielded;

	private final Timer timer;

	private final Deadline.Ticker ticker;

	@GuardedBy("this")
	private final List<WeakReference<Balancing>> known = new ArrayList<>();

	/**
	 * Knows no channel yet.
	 * @param shielded whether backends that fail or say nothing are left alone
	 * @param timer says when to look at backends
	 * @param ticker source of time
	 */
	public ClientBalancing(boolean shielded, Timer timer, Deadline.Ticker ticker) {
		this.shielded = shielded;
		this.timer = timer;
		this.ticker = ticker;
	}

	/**
	 * Prepares one more channel.
	 * @param policy name of the policy that chooses
	 * @return what is to be applied to the channel
	 * @throws IllegalArgumentException if there is no policy of this name
	 */
	public synchronized Balancing of(String policy) {
		Balancing balancing = new Balancing(policy, this.shielded, this.timer, this.ticker);
		this.known.removeIf((held) -> held.refersTo(null));
		this.known.add(new WeakReference<>(balancing));
		return balancing;
	}

	/**
	 * The channels that are known at this moment.
	 * @return how each is balanced
	 */
	public synchronized List<Balancing> channels() {
		return this.known.stream().map(WeakReference::get).filter(Objects::nonNull).toList();
	}

}
