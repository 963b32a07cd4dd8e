package io.github.grpcresilience.sample;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import org.junit.jupiter.api.Test;
import shop.v1.GetRequest;
import shop.v1.InventoryGrpc;
import shop.v1.InventoryGrpc.InventoryFutureStub;
import shop.v1.Simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * inventory on the PostgreSQL that starts with it.
 */
class PostgresTests {

	private final HttpClient http = HttpClient.newHttpClient();

	@Test
	void statementEndsWhenItsCallerLeaves() throws Exception {
		int port = RunningShop.freePort();
		try (Shop inventory = Shop.start(List.of(Role.INVENTORY), "--spring.profiles.active=postgres",
				"--shop.inventory.http-port=0", "--shop.inventory.grpc-port=" + port)) {
			ManagedChannel channel = ManagedChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
			try {
				InventoryFutureStub stub = InventoryGrpc.newFutureStub(channel);
				assertThat(stub.get(request(1)).get().getName()).isEqualTo("Garden bench");
				var slow = stub.get(request(500_000));
				String url = "http://127.0.0.1:" + inventory.httpPort(Role.INVENTORY) + "/db/active";
				await().until(() -> active(url).contains("pg_sleep"));
				assertThat(slow.cancel(true)).isTrue();
				await().until(() -> active(url).equals("[]"));
				assertThat(stub.get(request(1)).get().getSku()).isEqualTo("SKU-1");
			}
			finally {
				channel.shutdownNow();
			}
		}
	}

	private static GetRequest request(long queryMillis) {
		return GetRequest.newBuilder()
			.setSku("SKU-1")
			.setSimulation(Simulation.newBuilder().setQueryMs(queryMillis))
			.build();
	}

	private String active(String url) throws Exception {
		return this.http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString()).body();
	}

}
