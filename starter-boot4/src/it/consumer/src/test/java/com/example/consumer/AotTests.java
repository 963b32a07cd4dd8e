package com.example.consumer;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The application as Spring has prepared it ahead of time.
 */
class AotTests {

	@Test
	void startsWithItsProtection() throws Exception {
		Process application = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				"-Dspring.aot.enabled=true", "-jar", "target/consumer-1.jar", "--spring.grpc.server.port=0")
			.redirectErrorStream(true)
			.start();
		List<String> lines = new ArrayList<>();
		try (BufferedReader output = new BufferedReader(
				new InputStreamReader(application.getInputStream(), StandardCharsets.UTF_8))) {
			String line;
			while ((line = output.readLine()) != null && !line.contains("gRPC Resilience is on")) {
				lines.add(line);
			}
			assertThat(line).as("last of %s", lines).contains("mode enforce");
			assertThat(lines).anySatisfy((said) -> assertThat(said).contains("Starting AOT-processed"));
		}
		finally {
			application.destroy();
		}
	}

}
