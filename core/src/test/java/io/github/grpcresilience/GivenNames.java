package io.github.grpcresilience;

import java.net.SocketAddress;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.InternalConfigSelector;
import io.grpc.LoadBalancer;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;

/**
 * One name for one channel, which is resolved when a test says so, and to what it says,
 * service config included.
 */
public final class GivenNames extends NameResolverProvider implements AutoCloseable {

	private static final AtomicInteger NUMBER = new AtomicInteger();

	private final String scheme = "given" + NUMBER.incrementAndGet();

	private NameResolver.Args args;

	private NameResolver.Listener2 listener;

	private List<SocketAddress> addresses;

	private Map<String, ?> serviceConfig;

	private volatile Attributes attributes = Attributes.EMPTY;

	private final Class<? extends SocketAddress> type;

	/**
	 * Names for a channel to addresses of one type.
	 */
	public GivenNames(Class<? extends SocketAddress> type) {
		this.type = type;
		NameResolverRegistry.getDefaultRegistry().register(this);
	}

	public String target() {
		return this.scheme + ":///shop";
	}

	/**
	 * Tells what the name stands for, from now on.
	 */
	public void give(SocketAddress address, Map<String, ?> serviceConfig) {
		give(List.of(address), serviceConfig);
	}

	/**
	 * Fails to resolve the name, from now on.
	 */
	public void fail(Status status) {
		this.listener.onError(status);
	}

	/**
	 * What the name will stand for when it is asked for again.
	 */
	public synchronized void prepare(List<? extends SocketAddress> addresses) {
		this.addresses = List.copyOf(addresses);
	}

	/**
	 * The same, for several addresses.
	 */
	public void give(List<? extends SocketAddress> addresses, Map<String, ?> serviceConfig) {
		NameResolver.Listener2 told;
		synchronized (this) {
			this.addresses = List.copyOf(addresses);
			this.serviceConfig = serviceConfig;
			told = this.listener;
		}
		if (told != null) {
			tell(told);
		}
	}

	/**
	 * Fails all calls from now on, as a control plane does that does not know the
	 * service.
	 */
	public void refuse(Status status) {
		this.attributes = Attributes.newBuilder().set(InternalConfigSelector.KEY, new InternalConfigSelector() {

			@Override
			public Result selectConfig(LoadBalancer.PickSubchannelArgs args) {
				return Result.forError(status);
			}

		}).build();
	}

	private void tell(NameResolver.Listener2 told) {
		told.onResult(NameResolver.ResolutionResult.newBuilder()
			.setAddressesOrError(StatusOr.fromValue(this.addresses.stream().map(EquivalentAddressGroup::new).toList()))
			.setAttributes(this.attributes)
			.setServiceConfig(this.args.getServiceConfigParser().parseServiceConfig(this.serviceConfig))
			.build());
	}

	@Override
	public NameResolver newNameResolver(URI target, NameResolver.Args args) {
		if (!this.scheme.equals(target.getScheme())) {
			return null;
		}
		this.args = args;
		return new NameResolver() {

			@Override
			public String getServiceAuthority() {
				return "shop";
			}

			@Override
			public void start(Listener2 listener) {
				boolean known;
				synchronized (GivenNames.this) {
					GivenNames.this.listener = listener;
					known = GivenNames.this.addresses != null;
				}
				if (known) {
					tell(listener);
				}
			}

			@Override
			public void refresh() {
				tell(GivenNames.this.listener);
			}

			@Override
			public void shutdown() {
			}

		};
	}

	@Override
	public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
		return List.of(this.type);
	}

	@Override
	public String getDefaultScheme() {
		return this.scheme;
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
	public void close() {
		NameResolverRegistry.getDefaultRegistry().deregister(this);
	}

}
