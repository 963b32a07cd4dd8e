package io.github.grpcresilience.sample;

import java.nio.file.Path;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

@Tag("foreign")
class GrpcJsTests {

	private static final Path FOREIGN = Path.of("src/test/foreign");

	@Test
	void readsWhyTheDeadlinePassed() throws Exception {
		int port = RunningShop.get().port("inventory.grpc");
		JsonNode answer = ForeignTool.runForJson(FOREIGN.resolve("node_modules/@grpc/grpc-js"), "node",
				FOREIGN.resolve("deadline.mjs").toString(), Integer.toString(port), "src/main/proto");
		assertThat(answer.path("code").asInt()).isEqualTo(4);
		assertThat(answer.path("errorInfo").path("reason").asText()).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(answer.path("errorInfo").path("domain").asText()).isEqualTo("grpc-resilience");
		assertThat(answer.path("errorInfo").path("metadata").path("side").asText()).isEqualTo("server");
	}

}
