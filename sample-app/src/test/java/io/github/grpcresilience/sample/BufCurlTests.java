package io.github.grpcresilience.sample;

import java.nio.file.Path;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

@Tag("foreign")
class BufCurlTests {

	private static final Path BUF = Path.of("target/tools/buf");

	@Test
	void findsTheMethodByReflection() throws Exception {
		String url = "http://localhost:" + RunningShop.get().port("inventory.grpc") + "/shop.v1.Inventory/Get";
		JsonNode answer = ForeignTool.runForJson(BUF, BUF.toAbsolutePath().toString(), "curl",
				"--http2-prior-knowledge", "--protocol", "grpc", "-d", "{\"sku\":\"SKU-1\"}", url);
		assertThat(answer.path("sku").asText()).isEqualTo("SKU-1");
		assertThat(answer.path("name").asText()).isEqualTo("Garden bench");
		assertThat(answer.path("hops").path(0).path("service").asText()).isEqualTo("inventory");
	}

}
