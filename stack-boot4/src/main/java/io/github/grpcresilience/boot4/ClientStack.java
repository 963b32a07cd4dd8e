package io.github.grpcresilience.boot4;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.grpc.client.autoconfigure.GrpcClientProperties;
import org.springframework.boot.grpc.client.autoconfigure.ServiceConfig;
import org.springframework.boot.grpc.client.autoconfigure.ServiceConfig.MethodConfig;
import org.springframework.boot.grpc.client.autoconfigure.ServiceConfig.MethodConfig.Name;
import org.springframework.util.StringUtils;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.autoconfigure.stack.StackProperties;
import io.github.grpcresilience.internal.policy.Side;

/**
 * The clients that Spring Boot's properties name.
 */
final class ClientStack implements GrpcResilienceStack {

	private final ObjectProvider<GrpcClientProperties> properties;

	private final ChannelFactories factories;

	ClientStack(ObjectProvider<GrpcClientProperties> properties, ChannelFactories factories) {
		this.properties = properties;
		this.factories = factories;
	}

	@Override
	public Side side() {
		return Side.CLIENT;
	}

	@Override
	public Set<String> clients() {
		return Set.copyOf(channels().keySet());
	}

	@Override
	public String clientRemedy() {
		return "write the name below spring.grpc.client.channel, or the target of @ImportGrpcClients";
	}

	@Override
	public StackProperties connection(@Nullable String client) {
		return (client != null) ? Boot4Connections.ofClient(client, this.properties.getIfAvailable())
				: StackProperties.NONE;
	}

	@Override
	public Map<String, Set<String>> channelAttempts() {
		Map<String, Set<String>> attempts = new HashMap<>();
		channels().forEach((client, channel) -> {
			Set<String> methods = attempts(channel.getServiceConfig());
			if (!methods.isEmpty()) {
				attempts.put(client, methods);
			}
		});
		return attempts;
	}

	@Override
	public List<Finding> findings() {
		return this.factories.leftAlone()
			.stream()
			.map((name) -> new Finding("CHANNELS_UNPROTECTED", Severity.WARNING, name,
					"the class of this channel factory is final, so nothing can be added to its channels, and their"
							+ " calls are not protected",
					"let the class be extended, or give its channels GrpcResilience.client(name)"))
			.toList();
	}

	private Map<String, GrpcClientProperties.Channel> channels() {
		GrpcClientProperties known = this.properties.getIfAvailable();
		return (known != null) ? known.getChannel() : Map.of();
	}

	private static Set<String> attempts(@Nullable ServiceConfig config) {
		return (config == null || config.method() == null) ? Set.of()
				: config.method().stream().flatMap(ClientStack::attempts).collect(Collectors.toSet());
	}

	private static Stream<String> attempts(MethodConfig method) {
		return (method.retry() == null && method.hedging() == null) ? Stream.of()
				: method.name().stream().map(ClientStack::text);
	}

	private static String text(Name name) {
		String service = StringUtils.hasText(name.service()) ? name.service() : "";
		return StringUtils.hasText(name.method()) ? service + "/" + name.method() : service;
	}

}
