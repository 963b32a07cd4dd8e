package io.github.grpcresilience.sample;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The tools that the tests tagged {@code foreign} rely on. A missing one is a failure.
 */
@Tag("foreign")
class ForeignToolsTests {

	private static final Path FOREIGN = Path.of("src/test/foreign");

	@Test
	void nodeLoadsGrpc() throws Exception {
		assertThat(run(FOREIGN, "node", "-p", "typeof require('@grpc/grpc-js').Client")).isEqualTo("function");
	}

	@Test
	void bufCompilesTheProtos() throws Exception {
		String buf = Path.of("target/tools/buf").toAbsolutePath().toString();
		assertThat(run(Path.of("src/main/proto"), buf, "build")).isEmpty();
	}

	private static String run(Path directory, String... command) throws IOException, InterruptedException {
		Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
		assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
		assertThat(process.exitValue()).as(output).isZero();
		return output;
	}

}
