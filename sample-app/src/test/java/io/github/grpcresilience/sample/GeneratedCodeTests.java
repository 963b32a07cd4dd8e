package io.github.grpcresilience.sample;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.sample.proto.PlaceholderGrpc;

import static org.assertj.core.api.Assertions.assertThat;

class GeneratedCodeTests {

	@Test
	void knowsThatPingIsSafe() {
		assertThat(PlaceholderGrpc.getPingMethod().isSafe()).isTrue();
	}

}
