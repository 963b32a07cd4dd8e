package io.github.grpcresilience.sample.gateway;

import java.util.Map;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import shop.v1.CheckoutRequest;
import shop.v1.OrdersGrpc;
import shop.v1.OrdersGrpc.OrdersFutureStub;

import io.github.grpcresilience.sample.shared.Channels;

/**
 * Sends more checkouts than the shop may be able to serve, for some seconds, and says how
 * many of them it did.
 */
@RestController
final class StormController {

	private static final int MOST_PER_SECOND = 5_000;

	private static final int MOST_SECONDS = 60;

	private final OrdersFutureStub orders;

	StormController(Channels channels) {
		this.orders = OrdersGrpc.newFutureStub(channels.to("orders"));
	}

	@GetMapping("/storm")
	Storm.Result storm(@RequestParam Map<String, String> parameters) throws InterruptedException {
		int rate = number(parameters, "rate", 200, MOST_PER_SECOND);
		int seconds = number(parameters, "seconds", 5, MOST_SECONDS);
		CheckoutRequest request = new CheckoutParameters(parameters).toRequest("SKU-1");
		return new Storm(this.orders, request).blow(rate, seconds);
	}

	private static int number(Map<String, String> parameters, String name, int absent, int most) {
		String value = parameters.get(name);
		try {
			int number = (value != null) ? Integer.parseInt(value) : absent;
			if (number >= 1 && number <= most) {
				return number;
			}
		}
		catch (NumberFormatException ex) {
			// malformed and out of range get the same answer below
		}
		throw new MalformedRequestException(name + " must be a whole number from 1 to " + most);
	}

}
