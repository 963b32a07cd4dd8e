package io.github.grpcresilience.autoconfigure.netdevh;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.internal.GrpcUtil;
import org.jspecify.annotations.Nullable;

/**
 * Several addresses in one target: net.devh writes them where a URI has its one
 * authority, {@code static://a:1,b:2}, which the URI parser of a later gRPC refuses. Here
 * they are a path, which both of its parsers take. The authority of calls is the first
 * address: one with commas keeps Micrometer's observation from starting.
 */
final class StaticAddresses extends NameResolverProvider {

	private static final String STATIC = "static://";

	private static final String SCHEME = "static-addresses";

	static boolean isList(String address) {
		return address.startsWith(STATIC) && address.indexOf(',') > 0;
	}

	static URI rewritten(String list) {
		return URI.create(SCHEME + ":///" + list.substring(STATIC.length()));
	}

	@Override
	public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args args) {
		if (!SCHEME.equals(target.getScheme())) {
			return null;
		}
		List<EquivalentAddressGroup> addresses = new ArrayList<>();
		String first = "";
		for (String part : target.getPath().substring(1).split(",", -1)) {
			URI address = URI.create("//" + part.strip());
			if (address.getHost() == null) {
				throw new IllegalArgumentException(
						"'" + part + "' of " + target.getPath() + " is no address: write host:port");
			}
			int port = (address.getPort() >= 0) ? address.getPort() : args.getDefaultPort();
			addresses.add(new EquivalentAddressGroup(new InetSocketAddress(address.getHost(), port)));
			first = first.isEmpty() ? GrpcUtil.authorityFromHostAndPort(address.getHost(), port) : first;
		}
		return new Resolver(first, List.copyOf(addresses));
	}

	@Override
	public String getDefaultScheme() {
		return SCHEME;
	}

	@Override
	protected boolean isAvailable() {
		return true;
	}

	/** Below the one whose scheme names without any are tried with. */
	@Override
	protected int priority() {
		return 1;
	}

	private static final class Resolver extends NameResolver {

		private final String authority;

		private final List<EquivalentAddressGroup> addresses;

		Resolver(String authority, List<EquivalentAddressGroup> addresses) {
			this.authority = authority;
			this.addresses = addresses;
		}

		@Override
		public String getServiceAuthority() {
			return this.authority;
		}

		@Override
		public void start(Listener2 listener) {
			Status taken = listener.onResult2(
					ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(this.addresses)).build());
			if (!taken.isOk()) {
				listener.onError(taken);
			}
		}

		@Override
		public void shutdown() {
			// Nothing is held.
		}

	}

}
