package io.github.grpcresilience.fleet;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Collection;
import java.util.List;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.StatusOr;

/**
 * A name whose addresses can change; who has resolved it asks again only when its channel
 * wants to know, as with DNS.
 */
final class AddressBook extends NameResolverProvider {

	static final String TARGET = "fleet:///shop";

	private volatile List<InetSocketAddress> addresses = List.of();

	void set(List<InetSocketAddress> current) {
		this.addresses = List.copyOf(current);
	}

	@Override
	protected boolean isAvailable() {
		return true;
	}

	@Override
	protected int priority() {
		return 1;
	}

	@Override
	public String getDefaultScheme() {
		return "fleet";
	}

	@Override
	public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
		return List.of(InetSocketAddress.class);
	}

	@Override
	public NameResolver newNameResolver(URI target, NameResolver.Args args) {
		return getDefaultScheme().equals(target.getScheme()) ? new Resolver() : null;
	}

	private final class Resolver extends NameResolver {

		private Listener2 listener;

		@Override
		public String getServiceAuthority() {
			return "shop";
		}

		@Override
		public void start(Listener2 asking) {
			this.listener = asking;
			refresh();
		}

		@Override
		public void refresh() {
			this.listener.onResult(ResolutionResult.newBuilder()
				.setAddressesOrError(StatusOr
					.fromValue(AddressBook.this.addresses.stream().map(EquivalentAddressGroup::new).toList()))
				.build());
		}

		@Override
		public void shutdown() {
			// It holds nothing.
		}

	}

}
