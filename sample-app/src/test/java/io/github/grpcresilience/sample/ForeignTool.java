package io.github.grpcresilience.sample;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs a program that is not Java. A missing one is a failure.
 */
final class ForeignTool {

	private ForeignTool() {
	}

	static JsonNode runForJson(Path needed, String... command) throws IOException, InterruptedException {
		assertThat(Files.exists(needed)).as("%s is missing: run .ci/run", needed).isTrue();
		Process process = start(command);
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
		assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
		assertThat(process.exitValue()).as(output).isZero();
		return new ObjectMapper().readTree(output);
	}

	private static Process start(String... command) {
		try {
			return new ProcessBuilder(command).redirectErrorStream(true).start();
		}
		catch (IOException ex) {
			throw new AssertionError(command[0] + " cannot be started: run .ci/run", ex);
		}
	}

}
