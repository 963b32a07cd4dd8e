package io.github.grpcresilience.sample;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;

/**
 * Makes of {@code inventory.replicas} what YAML cannot count out: the ports of the
 * replicas, where orders finds them, and the name that each hop has in answers. With one
 * replica hops have no name.
 */
final class InventoryReplicas implements ApplicationContextInitializer<ConfigurableApplicationContext> {

	private static final int MOST = 9;

	private static final int FIRST_PORT = 9092;

	private final Role role;

	InventoryReplicas(Role role) {
		this.role = role;
	}

	@Override
	public void initialize(ConfigurableApplicationContext context) {
		ConfigurableEnvironment environment = context.getEnvironment();
		int replicas = environment.getProperty("inventory.replicas", Integer.class, 1);
		if (replicas < 1 || replicas > MOST) {
			throw new IllegalArgumentException("inventory.replicas must be 1 to " + MOST + ", but was " + replicas);
		}
		if (replicas == 1) {
			return;
		}
		int first = environment.getProperty("shop.inventory.grpc-port", Integer.class, FIRST_PORT);
		int[] further = environment.getProperty("shop.inventory.replica-ports", int[].class,
				IntStream.range(first + 1, first + replicas).toArray());
		if (further.length != replicas - 1) {
			throw new IllegalArgumentException(
					"shop.inventory.replica-ports must be %d ports, those of replicas 2 to %d, but were %d"
						.formatted(replicas - 1, replicas, further.length));
		}
		Map<String, Object> properties = new LinkedHashMap<>();
		properties.put("shop.inventory.replica-ports", further);
		String addresses = addresses(first, further);
		properties.put("shop.inventory.addresses", addresses);
		properties.put("shop.inventory.target", "static-addresses:///" + addresses);
		properties.put("shop.instance",
				this.role + "-" + environment.getProperty("inventory.replica", Integer.class, 1));
		environment.getPropertySources().addLast(new MapPropertySource("inventoryReplicas", properties));
	}

	private static String addresses(int first, int[] further) {
		return IntStream.concat(IntStream.of(first), IntStream.of(further))
			.mapToObj((port) -> "127.0.0.1:" + port)
			.collect(Collectors.joining(","));
	}

}
