package io.github.grpcresilience.sample;

import java.util.Locale;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import io.github.grpcresilience.sample.gateway.GatewayApplication;
import io.github.grpcresilience.sample.inventory.InventoryApplication;
import io.github.grpcresilience.sample.orders.OrdersApplication;

/**
 * A service of the shop, in the order in which they start: each after what it calls.
 */
enum Role {

	INVENTORY(InventoryApplication.class), ORDERS(OrdersApplication.class), GATEWAY(GatewayApplication.class);

	private final Class<?> application;

	Role(Class<?> application) {
		this.application = application;
	}

	ConfigurableApplicationContext start(String... args) {
		return new SpringApplicationBuilder(this.application).web(WebApplicationType.SERVLET)
			.profiles(toString())
			.initializers(new InventoryReplicas(this))
			.properties("shop.program=" + ShopApplication.class.getName())
			// Spring's own hook closes contexts in no order; Shop closes them edge first.
			.registerShutdownHook(false)
			.run(args);
	}

	@Override
	public String toString() {
		return name().toLowerCase(Locale.ROOT);
	}

}
