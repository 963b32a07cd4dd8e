package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import io.github.grpcresilience.autoconfigure.stack.StackProperties;
import io.github.grpcresilience.internal.policy.ConnectionSettings;

/**
 * What net.devh's properties say of connections. Whoever switches keepalive on or off
 * there has decided all of it.
 */
final class NetDevhConnections {

	static final StackProperties OF_SERVER = new StackProperties(Map.of(ConnectionSettings.MAX_AGE.name(),
			List.of("grpc.server.max-connection-age"), ConnectionSettings.MAX_AGE_GRACE.name(),
			List.of("grpc.server.max-connection-age-grace"), ConnectionSettings.SERVER_TIME.name(),
			List.of("grpc.server.keep-alive-time", "grpc.server.enable-keep-alive"), ConnectionSettings.TIMEOUT.name(),
			List.of("grpc.server.keep-alive-timeout", "grpc.server.enable-keep-alive"),
			ConnectionSettings.PERMIT_TIME.name(), List.of("grpc.server.permit-keep-alive-time"),
			ConnectionSettings.PERMIT_WITHOUT_CALLS.name(), List.of("grpc.server.permit-keep-alive-without-calls")));

	private NetDevhConnections() {
	}

	static StackProperties ofClient(String client) {
		return new StackProperties(Map.of(ConnectionSettings.CLIENT_TIME.name(),
				properties(client, "keep-alive-time", "enable-keep-alive"), ConnectionSettings.TIMEOUT.name(),
				properties(client, "keep-alive-timeout", "enable-keep-alive"), ConnectionSettings.WITHOUT_CALLS.name(),
				properties(client, "keep-alive-without-calls", "enable-keep-alive")));
	}

	/** The client's own, and those of all clients. */
	private static List<String> properties(String client, String... names) {
		return Stream.of(client, "global")
			.flatMap((owner) -> Stream.of(names).map((name) -> "grpc.client." + owner + "." + name))
			.toList();
	}

}
