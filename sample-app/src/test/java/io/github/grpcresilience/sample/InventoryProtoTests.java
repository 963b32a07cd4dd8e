package io.github.grpcresilience.sample;

import org.junit.jupiter.api.Test;
import shop.v1.InventoryGrpc;

import static org.assertj.core.api.Assertions.assertThat;

class InventoryProtoTests {

	@Test
	void onlyReadsMayBeRepeated() {
		assertThat(InventoryGrpc.getGetMethod().isIdempotent()).isTrue();
		assertThat(InventoryGrpc.getReserveMethod().isIdempotent()).isFalse();
	}

}
