package io.github.grpcresilience.autoconfigure.stack;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.internal.GrpcUtil;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;

/**
 * Several addresses in one target, {@code static-addresses:///a:1,b:2}. net.devh writes
 * them where a URI has its one authority, {@code static://a:1,b:2}, which the URI parser
 * of a later gRPC refuses, and Spring Boot's own gRPC takes one address only. Here they
 * are a path, which both parsers take. The authority of calls is the first address: one
 * with commas keeps Micrometer's observation from starting.
 */
public final class StaticAddresses extends NameResolverProvider {

	private static final String STATIC = "static://";

	private static final String SCHEME = "static-addresses";

	/**
	 * Whether an address is a list as net.devh writes it.
	 * @param address the address
	 * @return whether it has several
	 */
	public static boolean isList(String address) {
		return address.startsWith(STATIC) && address.indexOf(',') > 0;
	}

	/**
	 * The same list as a target that gRPC takes.
	 * @param list the list as net.devh writes it
	 * @return the target
	 */
	public static URI rewritten(String list) {
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

	/**
	 * Whether any property is such an address, in any source: binding, which tells the
	 * sources apart, is too dear for that.
	 * @param environment where it may be set
	 * @param prefix what stands before the names of clients
	 * @param element last element of the property
	 * @param matching what is looked for
	 * @return whether one was found
	 */
	public static boolean isAny(Environment environment, String prefix, String element, Predicate<String> matching) {
		ConfigurationPropertyName parent = ConfigurationPropertyName.of(prefix);
		return StreamSupport.stream(ConfigurationPropertySources.get(environment).spliterator(), false)
			.filter(IterableConfigurationPropertySource.class::isInstance)
			.map(IterableConfigurationPropertySource.class::cast)
			.anyMatch((source) -> source.stream()
				.filter((name) -> parent.isAncestorOf(name) && name.getLastElement(Form.UNIFORM).equals(element))
				.map(source::getConfigurationProperty)
				.anyMatch((found) -> found != null
						&& matching.test(environment.resolvePlaceholders(String.valueOf(found.getValue())))));
	}

	/**
	 * Whether a target is one of these.
	 * @param target the target
	 * @return whether its addresses are read here
	 */
	public static boolean isTarget(String target) {
		return target.startsWith(SCHEME + ":");
	}

	/**
	 * Makes the targets known while an application runs; a bean that processes none, but
	 * comes before channels are made.
	 */
	public static final class Registration implements BeanPostProcessor, DisposableBean {

		private final NameResolverProvider resolvers = new StaticAddresses();

		/**
		 * Makes them known.
		 */
		public Registration() {
			NameResolverRegistry.getDefaultRegistry().register(this.resolvers);
		}

		@Override
		public void destroy() {
			NameResolverRegistry.getDefaultRegistry().deregister(this.resolvers);
		}

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
