package io.github.grpcresilience.sample.orders;

import java.util.concurrent.ExecutionException;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import org.springframework.stereotype.Component;
import shop.v1.CheckoutRequest;
import shop.v1.Fanout;
import shop.v1.GetReply;
import shop.v1.GetRequest;
import shop.v1.InventoryGrpc;
import shop.v1.InventoryGrpc.InventoryBlockingStub;
import shop.v1.ReserveReply;
import shop.v1.ReserveRequest;
import shop.v1.Simulation;

import io.github.grpcresilience.sample.shared.Channels;
import io.github.grpcresilience.sample.shared.CountedAttempts;

/**
 * Asks inventory for two things: what the article is, and to set some of it aside. The
 * stubs need no deadline of their own: they inherit what is left of the call being
 * served.
 */
@Component
final class InventoryClient {

	private final Channel channel;

	private final Channel hedged;

	private final InventoryBlockingStub reserving;

	InventoryClient(Channels channels) {
		// net.devh's @GrpcClient at a constructor would create the meter and observation
		// registries too early: nothing would be observed.
		this.channel = channels.to("inventory");
		this.hedged = channels.to("inventory-hedged");
		this.reserving = InventoryGrpc.newBlockingStub(this.channel);
	}

	/**
	 * Asks for both, as the request's simulation says. The wishes are acted out once, by
	 * the read, or by both calls side by side; only the read is made to fail or to be
	 * slow. A read that may be slow goes by the client whose policy hedges.
	 * @param attempts counts the attempts of the read
	 */
	GetReply getAndReserve(CheckoutRequest request, CountedAttempts attempts) {
		Simulation wishes = request.getSimulation();
		GetRequest get = GetRequest.newBuilder().setSku(request.getSku()).setSimulation(wishes).build();
		ReserveRequest.Builder reserve = ReserveRequest.newBuilder()
			.setSku(request.getSku())
			.setQuantity(request.getQuantity());
		if (wishes.getFanout() == Fanout.FANOUT_PARALLEL) {
			reserve.setSimulation(wishes.toBuilder().clearFailure().clearSlowness());
			return sideBySide(get, reserve.build(), attempts);
		}
		GetReply article = InventoryGrpc.newBlockingStub(ofReads(wishes)).withInterceptors(attempts).get(get);
		this.reserving.reserve(reserve.build());
		return article;
	}

	private Channel ofReads(Simulation wishes) {
		return wishes.hasSlowness() ? this.hedged : this.channel;
	}

	private GetReply sideBySide(GetRequest get, ReserveRequest reserve, CountedAttempts attempts) {
		// Closing the context cancels the slower call when the faster one has failed.
		CancellableContext both = Context.current().withCancellation();
		Context caller = both.attach();
		try {
			ListenableFuture<GetReply> article = InventoryGrpc.newFutureStub(ofReads(get.getSimulation()))
				.withInterceptors(attempts)
				.get(get);
			ListenableFuture<ReserveReply> reserved = InventoryGrpc.newFutureStub(this.channel).reserve(reserve);
			Futures.allAsList(article, reserved).get();
			return article.get();
		}
		catch (ExecutionException ex) {
			throw Status.fromThrowable(ex).asRuntimeException(Status.trailersFromThrowable(ex));
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw Status.CANCELLED.withDescription("Interrupted").withCause(ex).asRuntimeException();
		}
		finally {
			both.detachAndCancel(caller, null);
		}
	}

}
