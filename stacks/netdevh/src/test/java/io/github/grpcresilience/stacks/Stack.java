package io.github.grpcresilience.stacks;

import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.grpc.Channel;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import org.springframework.context.ApplicationContext;

/**
 * What this stack calls differently.
 */
final class Stack {

	/** Files of classes that are for the other stack. */
	static final Pattern OTHERS_GLUE = Pattern.compile("Boot4.*");

	static final String BALANCING = "grpc.client.next.default-load-balancing-policy";

	static final String SERVER_MAX_AGE = "grpc.server.max-connection-age";

	static final String CLIENT_KEEPALIVE = "grpc.client.inventory.keep-alive-time";

	static final String SERVER_GRACE = "grpc.server.shutdown-grace-period";

	static final String SERVER_PORT = "grpc.server.port";

	static final String STARTER = "grpc-resilience-spring-boot-starter";

	static final String WITHOUT_DATABASE = "spring.autoconfigure.exclude=org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration"
			+ ",org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration";

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
		return new String[] { "grpc.client." + name + ".address=static://" + addresses,
				"grpc.client." + name + ".negotiation-type=plaintext" };
	}

}
