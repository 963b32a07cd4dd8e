package io.github.grpcresilience.autoconfigure;

import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.Connections;
import io.github.grpcresilience.autoconfigure.GrpcResilienceEndpoint.Value;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;

/**
 * What holds for connections, and whose it is: ours, or that of the stack's properties,
 * which win.
 */
record ConnectionValues(Connections connections, ObjectProvider<GrpcResilienceStack> stacks, Environment environment) {

	/** Stands in front of all names; the endpoint says it once. */
	private static final String PREFIX = "connection.";

	Map<String, Object> ofServer() {
		return describe(Side.SERVER, null, this.connections.ofServer());
	}

	Map<String, Object> ofClient(String client) {
		return describe(Side.CLIENT, client, this.connections.ofClient(client));
	}

	/**
	 * One value of the server.
	 * @return {@code null} if there is none
	 */
	@Nullable Value ofServer(SettingKey<?> key) {
		return find(Side.SERVER, null, key.name(), this.connections.ofServer().get(key.name()));
	}

	private Map<String, Object> describe(Side side, @Nullable String client, Map<String, Setting<?>> own) {
		Map<String, Object> values = new TreeMap<>();
		for (SettingKey<?> key : ConnectionSettings.of(side)) {
			Value value = find(side, client, key.name(), own.get(key.name()));
			if (value != null) {
				GrpcResilienceEndpoint.put(values, key.name().substring(PREFIX.length()), value);
			}
		}
		return values;
	}

	private @Nullable Value find(Side side, @Nullable String client, String name, @Nullable Setting<?> own) {
		for (GrpcResilienceStack stack : this.stacks.stream().toList()) {
			ConfigurationProperty winner = (stack.side() == side)
					? stack.connection(client).find(name, this.environment) : null;
			if (winner != null) {
				String origin = (winner.getOrigin() != null) ? winner.getOrigin().toString() : "unknown source";
				return new Value(String.valueOf(winner.getValue()), origin, winner.getName().toString());
			}
		}
		return (own != null) ? Value.of(own) : null;
	}

}
