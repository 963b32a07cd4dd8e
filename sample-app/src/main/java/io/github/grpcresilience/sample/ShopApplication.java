package io.github.grpcresilience.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Optional;

import org.springframework.boot.DefaultApplicationArguments;

import io.github.grpcresilience.sample.inventory.ReplicaProcess;

/**
 * Starts the shop: all roles in this JVM, or with {@code --role=gateway|orders|inventory}
 * one alone. The ports are the properties {@code shop.<role>.http-port} and
 * {@code shop.<role>.grpc-port}. With {@code --inventory.replicas=3} inventory runs two
 * further processes of this program, which end with it.
 */
public final class ShopApplication {

	/** Enough for the compiler and the connections to settle before someone measures. */
	private static final int WARM_UP_CHECKOUTS = 20;

	private static final int WARM_UP_TIMEOUTS = 5;

	private ShopApplication() {
	}

	/**
	 * Starts the shop and, once all roles run, prints what to try.
	 * @param args command-line arguments; every role gets them
	 * @throws IOException if the running shop's edge cannot be reached
	 * @throws InterruptedException if interrupted while it warms up
	 */
	public static void main(String[] args) throws IOException, InterruptedException {
		List<Role> roles = roles(args);
		Optional<ReplicaProcess> replica = ReplicaProcess.find(args);
		replica.ifPresent(ReplicaProcess::endWithParent);
		Shop shop = Shop.start(roles, args);
		Runtime.getRuntime().addShutdownHook(new Thread(shop::close, "close-shop"));
		replica.ifPresent(ReplicaProcess::tellReady);
		if (roles.contains(Role.GATEWAY) && roles.contains(Role.ORDERS)) {
			String gateway = "http://localhost:" + shop.httpPort(Role.GATEWAY);
			System.out.println("Warming up; the calls that time out now are part of it.");
			warmUp(gateway);
			System.out.printf("""

					The shop is open. Try:
					  curl -s -H 'grpc-timeout: 500m' '%1$s/checkout/SKU-1?orders=120ms&inventory=80ms&query=150ms'
					  curl -s '%1$s/checkout/SKU-1?budget=500ms&query=2s'
					  curl -s http://localhost:%2$d/actuator/grpcresilience
					""", gateway, shop.httpPort(Role.ORDERS));
		}
	}

	private static List<Role> roles(String... args) {
		List<String> names = new DefaultApplicationArguments(args).getOptionValues("role");
		List<Role> all = List.of(Role.values());
		if (names == null) {
			return all;
		}
		List<Role> chosen = all.stream().filter((role) -> names.contains(role.toString())).toList();
		if (names.size() != 1 || chosen.isEmpty()) {
			throw new IllegalArgumentException(
					"--role must be one of " + all + ", or absent for all, but was " + names);
		}
		return chosen;
	}

	/**
	 * A JVM's first calls take seconds, and its first timeouts longer than their margins:
	 * they would use up the budget of what is printed here.
	 */
	private static void warmUp(String gateway) throws IOException, InterruptedException {
		String checkout = gateway + "/checkout/SKU-1?orders=1ms&inventory=1ms&budget=";
		get(checkout + "30s&query=1ms", WARM_UP_CHECKOUTS);
		get(checkout + "100ms&query=120ms", WARM_UP_TIMEOUTS);
	}

	private static void get(String url, int times) throws IOException, InterruptedException {
		HttpClient client = HttpClient.newHttpClient();
		for (int i = 0; i < times; i++) {
			client.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.discarding());
		}
	}

}
