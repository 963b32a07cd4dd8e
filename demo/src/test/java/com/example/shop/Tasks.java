package com.example.shop;

import java.util.concurrent.CompletableFuture;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.springframework.scheduling.annotation.Async;
import org.springframework.stereotype.Component;

/**
 * Work on other threads.
 */
@Component
class Tasks {

	@GrpcClient("prices")
	private Channel prices;

	@Async
	CompletableFuture<String> price(String sku) {
		return CompletableFuture
			.completedFuture(ClientCalls.blockingUnaryCall(this.prices, Prices.GET, CallOptions.DEFAULT, sku));
	}

}
