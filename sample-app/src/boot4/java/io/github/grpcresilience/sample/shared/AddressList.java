package io.github.grpcresilience.sample.shared;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.stream.Stream;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.StatusOr;
import org.jspecify.annotations.Nullable;

/**
 * Targets with several addresses, {@code addresses:///127.0.0.1:9092,127.0.0.1:9093}.
 * Spring Boot's own {@code static:} takes only one, where net.devh's takes a list.
 */
final class AddressList extends NameResolverProvider {

	private static final String SCHEME = "addresses";

	@Override
	protected boolean isAvailable() {
		return true;
	}

	/** Below the one that names without a scheme are tried with. */
	@Override
	protected int priority() {
		return 1;
	}

	@Override
	public String getDefaultScheme() {
		return SCHEME;
	}

	@Override
	public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args args) {
		if (!SCHEME.equals(target.getScheme())) {
			return null;
		}
		List<URI> addresses = Stream.of(target.getPath().substring(1).split(","))
			.map((address) -> URI.create("//" + address))
			.toList();
		return new Resolver(addresses);
	}

	private static final class Resolver extends NameResolver {

		private final List<URI> addresses;

		Resolver(List<URI> addresses) {
			this.addresses = addresses;
		}

		@Override
		public String getServiceAuthority() {
			return this.addresses.get(0).getAuthority();
		}

		@Override
		public void start(Listener2 listener) {
			List<EquivalentAddressGroup> groups = this.addresses.stream()
				.map((address) -> new EquivalentAddressGroup(
						new InetSocketAddress(address.getHost(), address.getPort())))
				.toList();
			listener.onResult(ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(groups)).build());
		}

		@Override
		public void shutdown() {
			// It holds nothing.
		}

	}

}
