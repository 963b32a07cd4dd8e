package io.github.grpcresilience.stacks;

import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.grpc.Channel;
import org.springframework.context.ApplicationContext;
import org.springframework.grpc.client.GrpcChannelFactory;

/**
 * What this stack calls differently.
 */
final class Stack {

	/** Files of classes that are for the other stack. */
	static final Pattern OTHERS_GLUE = Pattern.compile("(NetDevh|StaticAddresses|WebClientCancellationAutoConfiguration"
			+ "|HttpClientCancellationAutoConfiguration\\$RestClients|HttpClientCancellationAutoConfiguration\\$RestTemplates).*");

	static final String BALANCING = "spring.grpc.client.channel.next.default.load-balancing-policy";

	static final String SERVER_MAX_AGE = "spring.grpc.server.keepalive.connection.max-age";

	static final String CLIENT_KEEPALIVE = "spring.grpc.client.channel.inventory.keepalive.time";

	static final String SERVER_GRACE = "spring.grpc.server.shutdown.grace-period";

	static final String SERVER_PORT = "spring.grpc.server.port";

	static final String STARTER = "grpc-resilience-spring-boot4-starter";

	static final String WITHOUT_DATABASE = "spring.autoconfigure.exclude=org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration"
			+ ",org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration";

	private Stack() {
	}

	static Channel channel(ApplicationContext client, String name) {
		return client.getBean(GrpcChannelFactory.class).createChannel(name);
	}

	/**
	 * Properties of a client.
	 */
	static String[] client(String name, int... ports) {
		String addresses = IntStream.of(ports).mapToObj((port) -> "127.0.0.1:" + port).collect(Collectors.joining(","));
		return new String[] { "spring.grpc.client.channel." + name + ".target=static-addresses:///" + addresses };
	}

}
