package io.github.grpcresilience.sample;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.springframework.context.ConfigurableApplicationContext;

/**
 * The running roles, one application context each. Closing it closes the edge first, so
 * that no role loses what it still calls. Confined to one caller at a time.
 */
final class Shop implements AutoCloseable {

	private final Map<Role, ConfigurableApplicationContext> running = new EnumMap<>(Role.class);

	private Shop() {
	}

	/**
	 * Starts roles in the order given.
	 * @param roles the roles, each after what it calls, as {@link Role} declares them
	 * @param args command-line arguments, for every role alike
	 * @return the running shop
	 */
	static Shop start(Collection<Role> roles, String... args) {
		Shop shop = new Shop();
		try {
			for (Role role : roles) {
				shop.running.put(role, role.start(args));
			}
			return shop;
		}
		catch (RuntimeException ex) {
			shop.close();
			throw ex;
		}
	}

	/**
	 * The port on which a running role serves HTTP.
	 */
	int httpPort(Role role) {
		return Objects.requireNonNull(this.running.get(role), () -> role + " does not run here")
			.getEnvironment()
			.getRequiredProperty("local.server.port", Integer.class);
	}

	@Override
	public void close() {
		List<ConfigurableApplicationContext> edgeFirst = new ArrayList<>(this.running.values());
		Collections.reverse(edgeFirst);
		edgeFirst.forEach(ConfigurableApplicationContext::close);
	}

}
