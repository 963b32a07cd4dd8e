package io.github.grpcresilience.autoconfigure.netdevh;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import io.grpc.ManagedChannelBuilder;
import io.grpc.stub.AbstractBlockingStub;
import io.grpc.stub.AbstractStub;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelConfigurer;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import net.devh.boot.grpc.client.config.GrpcChannelsProperties;
import net.devh.boot.grpc.client.stubfactory.StandardJavaGrpcStubFactory;
import net.devh.boot.grpc.client.stubfactory.StubFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.Connections;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.autoconfigure.stack.StackProperties;
import io.github.grpcresilience.internal.policy.Side;

/**
 * Protects the clients of net.devh's starter, by the name of each.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class,
		beforeName = "net.devh.boot.grpc.client.autoconfigure.GrpcClientAutoConfiguration")
@ConditionalOnClass(name = "net.devh.boot.grpc.client.channelfactory.GrpcChannelConfigurer")
@ConditionalOnBean(GrpcResilience.class)
public final class NetDevhClientAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceChannelConfigurer")
	GrpcChannelConfigurer grpcResilienceChannelConfigurer(GrpcResilience resilience, NetDevhChannels made,
			ObjectProvider<GrpcChannelsProperties> channels) {
		return (channel, name) -> {
			if (isInProcess(channel)) {
				String client = clientOf(name, channels);
				channel.intercept(made.learning(resilience, client,
						NetDevhInProcessClients.unlessNamed(resilience.client(client))));
			}
			else {
				channel.intercept(made.learning(resilience, name, resilience.client(name)));
			}
		};
	}

	@Bean
	NetDevhChannels grpcResilienceChannels() {
		return new NetDevhChannels();
	}

	/**
	 * Comes first, so that what the application's configurers set holds.
	 */
	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceConnections")
	@Order(Ordered.HIGHEST_PRECEDENCE)
	GrpcChannelConfigurer grpcResilienceConnections(GrpcResilience resilience,
			ObjectProvider<GrpcChannelsProperties> channels, Environment environment) {
		return (channel, name) -> {
			Connections connections = resilience.connections();
			connections.configure(channel, name, NetDevhConnections.ofClient(name).setIn(environment));
			GrpcChannelsProperties properties = channels.getIfAvailable();
			if (properties != null && !isInProcess(channel)) {
				connections.balance(channel, name, properties.getChannel(name).getDefaultLoadBalancingPolicy());
			}
		};
	}

	@Bean
	static NetDevhInProcessClients grpcResilienceInProcessClients(ObjectProvider<GrpcResilience> resilience,
			ObjectProvider<GrpcChannelsProperties> channels) {
		return new NetDevhInProcessClients(resilience, channels);
	}

	@Bean
	GrpcResilienceStack grpcResilienceNetDevhClients(ObjectProvider<GrpcChannelsProperties> channels,
			ObjectProvider<GrpcChannelFactory> factory, NetDevhChannels made) {
		return new GrpcResilienceStack() {

			@Override
			public Side side() {
				return Side.CLIENT;
			}

			@Override
			public Set<String> clients() {
				return channels.stream()
					.flatMap((properties) -> properties.getClient().keySet().stream())
					.collect(Collectors.toSet());
			}

			@Override
			public StackProperties connection(@Nullable String client) {
				return (client != null) ? NetDevhConnections.ofClient(client) : StackProperties.NONE;
			}

			@Override
			public void connect(String client) {
				factory.ifAvailable((own) -> made.touch(own.createChannel(client)));
			}

			@Override
			public String clientRemedy() {
				return "write the name below grpc.client, or that of @GrpcClient";
			}

		};
	}

	private static boolean isInProcess(ManagedChannelBuilder<?> channel) {
		return channel.getClass().getSimpleName().equals("InProcessChannelBuilder");
	}

	/**
	 * The client whose address is an in-process server. For these channels the starter
	 * tells configurers the name of the server, and clients of one server share a
	 * channel: one that was made before beans are looked at is known by its own name if
	 * it is alone, else by the server's (decision 5).
	 */
	private static String clientOf(String server, ObjectProvider<GrpcChannelsProperties> channels) {
		URI address = URI.create("in-process:" + server);
		List<String> clients = channels.stream()
			.flatMap((properties) -> properties.getClient().entrySet().stream())
			.filter((client) -> address.equals(client.getValue().getAddress()))
			.map(Map.Entry::getKey)
			.toList();
		return (clients.size() == 1) ? clients.get(0) : server;
	}

	@Bean
	@ConditionalOnMissingBean(name = "grpcResilienceBlockingV2StubFactory")
	StubFactory grpcResilienceBlockingV2StubFactory() {
		return new BlockingV2StubFactory();
	}

	/**
	 * Lets {@code @GrpcClient} inject blocking-v2 stubs. The starter takes the first
	 * factory that applies, and its own takes them for blocking stubs, which ends in a
	 * ClassCastException; so this one is registered before.
	 */
	private static final class BlockingV2StubFactory extends StandardJavaGrpcStubFactory {

		@Override
		public boolean isApplicable(Class<? extends AbstractStub<?>> stubType) {
			return AbstractBlockingStub.class.isAssignableFrom(stubType)
					&& stubType.getSimpleName().endsWith("BlockingV2Stub");
		}

		@Override
		protected String getFactoryMethodName() {
			return "newBlockingV2Stub";
		}

	}

}
