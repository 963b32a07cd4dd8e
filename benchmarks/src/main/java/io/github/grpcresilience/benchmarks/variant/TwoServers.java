package io.github.grpcresilience.benchmarks.variant;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.List;

import io.grpc.EquivalentAddressGroup;
import io.grpc.ManagedChannelBuilder;
import io.grpc.NameResolver;
import io.grpc.StatusOr;

import io.github.grpcresilience.GrpcResilience;

/**
 * A server that is known by two addresses, between which calls go back and forth; over a
 * network only. Nothing else stands between them.
 */
public final class TwoServers implements Variant {

	private static final String CLIENT = "bench";

	private static final String POLICY = "round_robin";

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final boolean watched;

	/**
	 * Prepares it.
	 * @param watched whether it is this library that lets gRPC choose
	 */
	public TwoServers(boolean watched) {
		this.watched = watched;
	}

	@Override
	@SuppressWarnings("deprecation") // the only one that belongs to a single channel
	public void dial(ManagedChannelBuilder<?> channel) {
		channel.nameResolverFactory(new Twice()).defaultLoadBalancingPolicy(POLICY);
		if (this.watched) {
			this.resilience.connections().balance(channel, CLIENT, POLICY);
		}
	}

	@Override
	public void close() {
		this.resilience.close();
	}

	private static final class Twice extends NameResolver.Factory {

		@Override
		public NameResolver newNameResolver(URI target, NameResolver.Args args) {
			int port = URI.create("//" + target.getPath().substring(1)).getPort();
			return new NameResolver() {

				@Override
				public String getServiceAuthority() {
					return "localhost";
				}

				@Override
				public void start(Listener2 listener) {
					listener.onResult(ResolutionResult.newBuilder()
						.setAddressesOrError(StatusOr.fromValue(List.of(address(1, port), address(2, port))))
						.build());
				}

				@Override
				public void shutdown() {
					// Nothing is held.
				}

			};
		}

		private static EquivalentAddressGroup address(int last, int port) {
			try {
				byte[] bytes = { 127, 0, 0, (byte) last };
				return new EquivalentAddressGroup(new InetSocketAddress(InetAddress.getByAddress(bytes), port));
			}
			catch (UnknownHostException ex) {
				throw new IllegalStateException(ex);
			}
		}

		@Override
		public String getDefaultScheme() {
			return "dns";
		}

	}

}
