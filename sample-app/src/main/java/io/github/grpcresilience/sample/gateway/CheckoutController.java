package io.github.grpcresilience.sample.gateway;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import shop.v1.CheckoutReply;
import shop.v1.Hop;
import shop.v1.OrdersGrpc;
import shop.v1.OrdersGrpc.OrdersBlockingStub;

import io.github.grpcresilience.sample.shared.Arrival;
import io.github.grpcresilience.sample.shared.Channels;
import io.github.grpcresilience.sample.shared.CountedAttempts;

/**
 * Buys an article over HTTP, within the budget that the request brought along.
 */
@RestController
final class CheckoutController {

	private final OrdersBlockingStub orders;

	private final String instance;

	CheckoutController(Channels channels, @Value("${shop.instance:}") String instance) {
		// net.devh's @GrpcClient at a constructor would create the meter and observation
		// registries too early: nothing would be observed.
		this.orders = OrdersGrpc.newBlockingStub(channels.to("orders"));
		this.instance = instance;
	}

	@GetMapping("/checkout/{sku}")
	Checkout checkout(@PathVariable String sku, @RequestParam Map<String, String> parameters) {
		Arrival arrival = Arrival.at("gateway", this.instance);
		CountedAttempts attempts = new CountedAttempts();
		CheckoutReply reply = this.orders.withInterceptors(attempts)
			.checkout(new CheckoutParameters(parameters).toRequest(sku));
		return Checkout.of(reply, arrival.hop(attempts.count()));
	}

	/**
	 * What the user gets; {@code priceCents} and {@code shippingDays} only where asked
	 * for.
	 */
	@JsonInclude(JsonInclude.Include.NON_NULL)
	record Checkout(String sku, String name, int quantity, @Nullable Long priceCents, @Nullable Integer shippingDays,
			List<CheckoutHop> hops) {

		static Checkout of(CheckoutReply reply, Hop gateway) {
			List<CheckoutHop> hops = Stream.concat(Stream.of(gateway), reply.getHopsList().stream())
				.map(CheckoutHop::of)
				.toList();
			return new Checkout(reply.getSku(), reply.getName(), reply.getQuantity(),
					reply.hasPriceCents() ? reply.getPriceCents() : null,
					reply.hasShippingDays() ? reply.getShippingDays() : null, hops);
		}

	}

	/**
	 * What one service saw; {@code budgetMs} is null where the call had no deadline,
	 * {@code instance} is absent where the service has only one.
	 */
	record CheckoutHop(String service, @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String instance,
			@Nullable Long budgetMs, long elapsedMs, int attempts) {

		static CheckoutHop of(Hop hop) {
			return new CheckoutHop(hop.getService(), hop.hasInstance() ? hop.getInstance() : null,
					hop.hasBudgetMs() ? hop.getBudgetMs() : null, hop.getElapsedMs(), hop.getAttempts());
		}

	}

}
