package io.github.grpcresilience;

import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.internal.connection.ClientBalancing;
import io.github.grpcresilience.internal.connection.ConnectionOptions;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.Setting;

/**
 * How connections are kept: how old they get, how one that is dead is noticed, and which
 * of several a call takes. In mode {@code observe} it sets nothing. Safe for concurrent
 * use.
 */
public final class Connections {

	private final PolicyTable server;

	private final PolicyTable client;

	private final Function<String, ClientBalancing> balancing;

	private final Predicate<String> connected;

	private final boolean enforced;

	Connections(PolicyTable server, PolicyTable client, Function<String, ClientBalancing> balancing,
			Predicate<String> connected, boolean enforced) {
		this.server = server;
		this.client = client;
		this.balancing = balancing;
		this.connected = connected;
		this.enforced = enforced;
	}

	/**
	 * Sets what the settings of the server say. Call it before you set what shall be
	 * otherwise.
	 * @param server the server to be
	 */
	public void configure(ServerBuilder<?> server) {
		configure(server, (setting) -> false);
	}

	/**
	 * Sets what the settings of the server say, as far as nobody else has.
	 * @param server the server to be
	 * @param leftToOthers whether somebody else has set what a setting of this name
	 * stands for, such as {@code connection.max-age}
	 */
	public void configure(ServerBuilder<?> server, Predicate<String> leftToOthers) {
		if (this.enforced) {
			new ConnectionOptions(ofServer(), leftToOthers).applyTo(server);
		}
	}

	/**
	 * Sets what the settings of a client say. Call it before you set what shall be
	 * otherwise.
	 * @param channel the channel to be
	 * @param client name of the client
	 */
	public void configure(ManagedChannelBuilder<?> channel, String client) {
		configure(channel, client, (setting) -> false);
	}

	/**
	 * Sets what the settings of a client say, as far as nobody else has.
	 * @param channel the channel to be
	 * @param client name of the client
	 * @param leftToOthers whether somebody else has set what a setting of this name
	 * stands for, such as {@code connection.keepalive.time}
	 */
	public void configure(ManagedChannelBuilder<?> channel, String client, Predicate<String> leftToOthers) {
		if (this.enforced) {
			new ConnectionOptions(ofClient(client), leftToOthers).applyTo(channel);
		}
	}

	/**
	 * Spreads the calls of a channel by a policy of gRPC, but for what is known better
	 * here: a further attempt goes to another backend than the ones before it, and one
	 * that fails or says nothing while others answer is left alone for a while. Takes the
	 * place of {@code defaultLoadBalancingPolicy}; a policy that a resolver's service
	 * config names wins over it.
	 * @param channel the channel to be
	 * @param client name of the client
	 * @param policy name of the policy, such as {@code round_robin}
	 * @throws IllegalArgumentException if there is no policy of this name
	 */
	public void balance(ManagedChannelBuilder<?> channel, String client, String policy) {
		if (this.enforced) {
			this.balancing.apply(client).of(policy).applyTo(channel);
		}
	}

	/**
	 * Whether each channel of a client that was learned has a connection.
	 * @param client name of the client
	 * @return {@code false} also while no channel of it is known
	 */
	public boolean isConnected(String client) {
		return this.connected.test(client);
	}

	/**
	 * What is wanted of the server's connections.
	 * @return the settings by their names
	 */
	public Map<String, Setting<?>> ofServer() {
		return this.server.connection(null);
	}

	/**
	 * What is wanted of a client's connections.
	 * @param client name of the client
	 * @return the settings by their names
	 */
	public Map<String, Setting<?>> ofClient(String client) {
		return this.client.connection(client);
	}

}
