package io.github.grpcresilience;

import java.util.Map;
import java.util.function.Predicate;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.internal.connection.ConnectionOptions;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.Setting;

/**
 * How connections are kept: how old they get, and how one that is dead is noticed. In
 * mode {@code observe} it sets nothing. Immutable.
 */
public final class Connections {

	private final PolicyTable server;

	private final PolicyTable client;

	private final boolean enforced;

	Connections(PolicyTable server, PolicyTable client, boolean enforced) {
		this.server = server;
		this.client = client;
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
