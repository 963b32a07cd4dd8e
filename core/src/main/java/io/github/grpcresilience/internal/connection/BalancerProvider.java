package io.github.grpcresilience.internal.connection;

import java.util.Objects;

import io.grpc.LoadBalancer;
import io.grpc.LoadBalancer.Helper;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;

/**
 * How gRPC finds our {@link Balancer}: by a name, which it has once we are used.
 */
final class BalancerProvider extends LoadBalancerProvider {

	static final String NAME = register();

	private static String register() {
		BalancerProvider provider = new BalancerProvider();
		LoadBalancerRegistry.getDefaultRegistry().register(provider);
		return provider.getPolicyName();
	}

	@Override
	public boolean isAvailable() {
		return true;
	}

	@Override
	public int getPriority() {
		return 5;
	}

	@Override
	public String getPolicyName() {
		return "grpc_resilience";
	}

	/**
	 * Made by gRPC for channels that were given a {@link Balancing}.
	 */
	@Override
	public LoadBalancer newLoadBalancer(Helper channel) {
		LoadBalancerRegistry policies = LoadBalancerRegistry.getDefaultRegistry();
		Balancing balancing = channel.getNameResolverArgs().getArg(Balancing.KEY);
		if (balancing == null) {
			// Somebody has written our name: it stands for nothing of its own.
			return Objects.requireNonNull(policies.getProvider("round_robin")).newLoadBalancer(channel);
		}
		return new Balancer(Objects.requireNonNull(policies.getProvider(balancing.policy())), channel, balancing);
	}

}
