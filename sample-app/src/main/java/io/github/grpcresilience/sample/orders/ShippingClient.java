package io.github.grpcresilience.sample.orders;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;

/**
 * Asks inventory over HTTP when it can ship. The request needs no timeout of its own: it
 * ends with the call that is being served.
 */
@Component
final class ShippingClient {

	private final RestClient http;

	ShippingClient(RestClient.Builder http, @Value("${shop.inventory.url}") String inventory) {
		this.http = http.baseUrl(inventory).build();
	}

	/**
	 * Days until an article can be shipped.
	 * @param millis how long inventory takes to answer, in milliseconds
	 */
	int days(String sku, long millis) {
		Shipping shipping = this.http.get()
			.uri("/shipping/{sku}?takesMillis={millis}", sku, millis)
			.retrieve()
			.body(Shipping.class);
		return (shipping != null) ? shipping.days() : 0;
	}

	record Shipping(int days) {
	}

}
