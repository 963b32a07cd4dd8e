package io.github.grpcresilience.boot4;

import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.grpc.client.autoconfigure.GrpcClientProperties;
import org.springframework.boot.grpc.client.autoconfigure.GrpcClientProperties.Channel;

import io.github.grpcresilience.autoconfigure.stack.StackProperties;
import io.github.grpcresilience.internal.policy.ConnectionSettings;

/**
 * What Spring Boot's properties say of connections.
 */
final class Boot4Connections {

	private static final String SERVER = "spring.grpc.server.keepalive.";

	static final StackProperties OF_SERVER = new StackProperties(
			Map.of(ConnectionSettings.MAX_AGE.name(), List.of(SERVER + "connection.max-age"),
					ConnectionSettings.MAX_AGE_GRACE.name(), List.of(SERVER + "connection.grace-period"),
					ConnectionSettings.SERVER_TIME.name(), List.of(SERVER + "time"), ConnectionSettings.TIMEOUT.name(),
					List.of(SERVER + "timeout"), ConnectionSettings.PERMIT_TIME.name(), List.of(SERVER + "permit.time"),
					ConnectionSettings.PERMIT_WITHOUT_CALLS.name(), List.of(SERVER + "permit.without-calls")));

	private Boot4Connections() {
	}

	/**
	 * The policy by which a client's channel is balanced.
	 * @return {@code null} if it leads to one server anyway
	 */
	static @Nullable String policy(String client, @Nullable GrpcClientProperties properties) {
		Channel channel = (properties != null) ? properties.getChannel().get(client) : null;
		if (channel == null && properties != null) {
			channel = properties.getChannel().get("default");
		}
		if (channel == null) {
			channel = new Channel();
		}
		return (isSingle(client) || isSingle(channel.getTarget())) ? null
				: channel.getDefault().getLoadBalancingPolicy();
	}

	private static boolean isSingle(String target) {
		return target.startsWith("unix:") || target.startsWith("in-process:");
	}

	/**
	 * Of a client's channel, or of the one named {@code default}, which stands for all
	 * that nobody has named.
	 */
	static StackProperties ofClient(String client, @Nullable GrpcClientProperties properties) {
		boolean named = properties != null && properties.getChannel().containsKey(client);
		String keepalive = "spring.grpc.client.channel." + (named ? client : "default") + ".keepalive.";
		return new StackProperties(Map.of(ConnectionSettings.CLIENT_TIME.name(), List.of(keepalive + "time"),
				ConnectionSettings.TIMEOUT.name(), List.of(keepalive + "timeout"),
				ConnectionSettings.WITHOUT_CALLS.name(), List.of(keepalive + "without-calls")));
	}

}
