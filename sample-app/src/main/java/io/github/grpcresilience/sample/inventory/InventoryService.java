package io.github.grpcresilience.sample.inventory;

import io.grpc.Context;
import io.grpc.Status.Code;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.springframework.beans.factory.annotation.Value;
import shop.v1.GetReply;
import shop.v1.GetRequest;
import shop.v1.InventoryGrpc;
import shop.v1.ReserveReply;
import shop.v1.ReserveRequest;
import shop.v1.Simulation;
import shop.v1.WatchReply;
import shop.v1.WatchRequest;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.sample.shared.Arrival;
import io.github.grpcresilience.sample.shared.Served;
import io.github.grpcresilience.sample.shared.Work;

/**
 * Answers from the database what is in stock, and sets goods aside.
 */
@Served
final class InventoryService extends InventoryGrpc.InventoryImplBase {

	private static final long DEFAULT_INTERVAL_MILLIS = 1_000;

	private final StockRepository stocks;

	private final SimulatedFailures failures;

	private final String instance;

	InventoryService(StockRepository stocks, SimulatedFailures failures, @Value("${shop.instance:}") String instance) {
		this.stocks = stocks;
		this.failures = failures;
		this.instance = instance;
	}

	@Override
	public void get(GetRequest request, StreamObserver<GetReply> observer) {
		observer.onNext(get(request));
		observer.onCompleted();
	}

	@Override
	public void reserve(ReserveRequest request, StreamObserver<ReserveReply> observer) {
		observer.onNext(reserve(request));
		observer.onCompleted();
	}

	@Override
	public void watch(WatchRequest request, StreamObserver<WatchReply> observer) {
		watch(request, (ServerCallStreamObserver<WatchReply>) observer);
		observer.onCompleted();
	}

	private GetReply get(GetRequest request) {
		Arrival arrival = Arrival.at("inventory", this.instance);
		Stock stock = work(request.getSku(), request.getSimulation());
		return GetReply.newBuilder()
			.setSku(stock.sku())
			.setName(stock.name())
			.setAvailable(stock.available())
			.addHops(arrival.hop(0))
			.build();
	}

	private ReserveReply reserve(ReserveRequest request) {
		Arrival arrival = Arrival.at("inventory", this.instance);
		if (request.getQuantity() < 1) {
			throw GrpcError.of(Code.INVALID_ARGUMENT)
				.reason("QUANTITY_INVALID")
				.message("quantity must be 1 or more, but was " + request.getQuantity())
				.withViolation("quantity", "must be 1 or more");
		}
		Stock stock = work(request.getSku(), request.getSimulation());
		this.stocks.reserve(stock.sku(), request.getQuantity());
		return ReserveReply.newBuilder()
			.setSku(stock.sku())
			.setQuantity(request.getQuantity())
			.addHops(arrival.hop(0))
			.build();
	}

	private void watch(WatchRequest request, ServerCallStreamObserver<WatchReply> observer) {
		long interval = (request.getIntervalMs() > 0) ? request.getIntervalMs() : DEFAULT_INTERVAL_MILLIS;
		int replies = 0;
		while (!Context.current().isCancelled()) {
			// A slow reader misses a state that is stale anyway: nothing piles up here.
			if (observer.isReady()) {
				Stock stock = find(request.getSku(), 0);
				observer.onNext(WatchReply.newBuilder().setSku(stock.sku()).setAvailable(stock.available()).build());
				if (++replies == request.getMaxReplies()) {
					return;
				}
			}
			Work.forMillis(interval);
		}
	}

	private Stock work(String sku, Simulation wishes) {
		this.failures.check(wishes);
		Work.forMillis(wishes.getInventoryMs() + SimulatedFailures.slowMillis(wishes));
		return find(sku, wishes.getQueryMs());
	}

	private Stock find(String sku, long busyMillis) {
		return this.stocks.findBySku(sku, busyMillis)
			.orElseThrow(() -> GrpcError.of(Code.NOT_FOUND)
				.reason("SKU_UNKNOWN")
				.with("sku", sku)
				.message("There is no article " + sku)
				.localized("sku.unknown", sku));
	}

}
