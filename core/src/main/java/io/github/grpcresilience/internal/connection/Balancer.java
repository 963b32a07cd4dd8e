package io.github.grpcresilience.internal.connection;

import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.Status;

/**
 * The policy of a channel, with a {@link BackendHelper} beneath it. Called by the
 * channel, one callback at a time.
 */
final class Balancer extends LoadBalancer {

	private final LoadBalancer policy;

	private final Balancing balancing;

	private final String target;

	private boolean resolved;

	Balancer(LoadBalancerProvider policy, Helper channel, Balancing balancing) {
		this.policy = policy.newLoadBalancer(new BackendHelper(channel, balancing.backends()));
		this.balancing = balancing;
		this.target = channel.getChannelTarget();
		balancing.use(Balancing.Use.MADE);
	}

	@Override
	public Status acceptResolvedAddresses(ResolvedAddresses addresses) {
		this.resolved = true;
		this.balancing.resolved(this.target, addresses.getAddresses().size());
		return this.policy.acceptResolvedAddresses(addresses);
	}

	@Override
	public void handleNameResolutionError(Status error) {
		this.resolved = true;
		this.balancing.unresolved(this.target, error);
		this.policy.handleNameResolutionError(error);
	}

	@Override
	public void requestConnection() {
		this.policy.requestConnection();
	}

	/**
	 * A channel that goes idle takes away what has been in use; one that takes it away
	 * before has found another policy.
	 */
	@Override
	public void shutdown() {
		this.policy.shutdown();
		if (!this.resolved) {
			this.balancing.use(Balancing.Use.REPLACED);
		}
	}

}
