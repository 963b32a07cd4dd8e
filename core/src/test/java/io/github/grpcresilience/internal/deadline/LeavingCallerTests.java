package io.github.grpcresilience.internal.deadline;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;

import static org.assertj.core.api.Assertions.assertThat;

class LeavingCallerTests {

	private final Loopback loopback = new Loopback();

	private final ExecutorService oneThread = Executors.newSingleThreadExecutor();

	@AfterEach
	void end() {
		this.loopback.close();
		this.oneThread.shutdownNow();
	}

	/**
	 * The handler holds the only thread on which grpc-java would tell it.
	 */
	@Test
	void handlerIsToldThoughNoThreadOfItsExecutorIsFree() throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		CountDownLatch reached = new CountDownLatch(1);
		CompletableFuture<Boolean> told = new CompletableFuture<>();
		Server server = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			CountDownLatch cancelled = new CountDownLatch(1);
			Context.current().addListener((context) -> cancelled.countDown(), Runnable::run);
			reached.countDown();
			try {
				told.complete(cancelled.await(15, TimeUnit.SECONDS));
			}
			catch (InterruptedException ex) {
				told.completeExceptionally(ex);
			}
		}), (builder) -> builder.executor(this.oneThread));
		ManagedChannel channel = this.loopback.plainChannel(server);
		ClientCall<String, String> call = channel.newCall(Shop.UNARY, Loopback.within(20_000));
		call.start(new ClientCall.Listener<>() {
		}, new Metadata());
		call.request(2);
		call.sendMessage("x");
		call.halfClose();
		assertThat(reached.await(10, TimeUnit.SECONDS)).isTrue();
		call.cancel("leaving", null);
		assertThat(told.get(20, TimeUnit.SECONDS)).isTrue();
	}

}
