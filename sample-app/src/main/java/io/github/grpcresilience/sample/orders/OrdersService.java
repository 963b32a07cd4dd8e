package io.github.grpcresilience.sample.orders;

import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import org.springframework.beans.factory.annotation.Value;
import shop.v1.CheckoutReply;
import shop.v1.CheckoutRequest;
import shop.v1.GetReply;
import shop.v1.OrdersGrpc;
import shop.v1.Simulation;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.sample.shared.Arrival;
import io.github.grpcresilience.sample.shared.CountedAttempts;
import io.github.grpcresilience.sample.shared.Served;
import io.github.grpcresilience.sample.shared.Work;

/**
 * Checks an order, works on it, and has inventory set the goods aside. What inventory
 * fails with is let through: it knows best what happened.
 */
@Served
final class OrdersService extends OrdersGrpc.OrdersImplBase {

	private static final int MAX_QUANTITY = 100;

	private final InventoryClient inventory;

	private final Pricing pricing;

	private final ShippingClient shipping;

	private final String instance;

	OrdersService(InventoryClient inventory, Pricing pricing, ShippingClient shipping,
			@Value("${shop.instance:}") String instance) {
		this.inventory = inventory;
		this.pricing = pricing;
		this.shipping = shipping;
		this.instance = instance;
	}

	@Override
	public void checkout(CheckoutRequest request, StreamObserver<CheckoutReply> observer) {
		observer.onNext(checkout(request));
		observer.onCompleted();
	}

	private CheckoutReply checkout(CheckoutRequest request) {
		Arrival arrival = Arrival.at("orders", this.instance);
		if (request.getQuantity() < 1 || request.getQuantity() > MAX_QUANTITY) {
			throw GrpcError.of(Code.INVALID_ARGUMENT)
				.reason("QUANTITY_INVALID")
				.message("quantity must be 1 to " + MAX_QUANTITY + ", but was " + request.getQuantity())
				.withViolation("quantity", "must be 1 to " + MAX_QUANTITY);
		}
		Simulation wishes = request.getSimulation();
		Work.forMillis(wishes.getOrdersMs());
		CheckoutReply.Builder reply = CheckoutReply.newBuilder();
		if (wishes.getPricingMs() > 0) {
			reply.setPriceCents(this.pricing.price(request.getQuantity(), wishes.getPricingMs()).join());
		}
		if (wishes.getShippingMs() > 0) {
			reply.setShippingDays(this.shipping.days(request.getSku(), wishes.getShippingMs()));
		}
		CountedAttempts attempts = new CountedAttempts();
		GetReply article = this.inventory.getAndReserve(request, attempts);
		return reply.setSku(article.getSku())
			.setName(article.getName())
			.setQuantity(request.getQuantity())
			.addHops(arrival.hop(attempts.count()))
			.addAllHops(article.getHopsList())
			.build();
	}

}
