package io.github.grpcresilience.sample;

import java.nio.file.Path;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

@Tag("foreign")
class GrpcJsTests {

	private static final Path FOREIGN = Path.of("src/test/foreign");

	/**
	 * The server imposes the deadline, so that its answer races with no timer of the
	 * client.
	 */
	@Test
	void readsWhyTheDeadlinePassed() throws Exception {
		String port = Integer.toString(RunningShop.freePort());
		try (Shop inventory = Shop.start(List.of(Role.INVENTORY), "--shop.inventory.http-port=0",
				"--shop.inventory.grpc-port=" + port, "--grpc.resilience.server.deadline.max=800ms")) {
			JsonNode answer = ForeignTool.runForJson(FOREIGN.resolve("node_modules/@grpc/grpc-js"), "node",
					FOREIGN.resolve("deadline.mjs").toString(), port, "src/main/proto", "20000");
			assertThat(answer.path("code").asInt()).isEqualTo(4);
			assertThat(answer.path("errorInfo").path("reason").asText()).isEqualTo("DEADLINE_EXCEEDED");
			assertThat(answer.path("errorInfo").path("domain").asText()).isEqualTo("grpc-resilience");
			JsonNode metadata = answer.path("errorInfo").path("metadata");
			assertThat(metadata.path("side").asText()).isEqualTo("server");
			assertThat(metadata.path("service").asText()).isEqualTo("inventory");
			assertThat(metadata.path("method").asText()).isEqualTo("shop.v1.Inventory/Get");
			assertThat(metadata.path("budget_ms").asText()).isEqualTo("800");
			assertThat(inventory.httpPort(Role.INVENTORY)).isPositive();
		}
	}

}
