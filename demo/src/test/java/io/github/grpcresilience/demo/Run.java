package io.github.grpcresilience.demo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import com.example.shop.Shop;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The application in a JVM of its own.
 */
record Run(Process process, Path seenIn, Path output) implements AutoCloseable {

	private static final List<String> AGENT = List.of("-javaagent:target/agent/opentelemetry-javaagent.jar",
			"-Dotel.traces.exporter=console", "-Dotel.metrics.exporter=none", "-Dotel.logs.exporter=none");

	private static final Pattern SPAN_OF_AGENT = Pattern.compile(
			".*LoggingSpanExporter - '(.*)' : \\w+ \\w+ (\\w+) \\[tracer: ([^:]*).*] AttributesMap\\{data=\\{(.*)}, .*");

	/**
	 * Starts it.
	 * @param dependency whether the dependency is on its class path
	 */
	static Run start(String name, boolean dependency, String... arguments) throws IOException {
		return start(name, dependency, List.of(), arguments);
	}

	/**
	 * Starts it with OpenTelemetry's agent.
	 */
	static Run startWithAgent(String name, boolean dependency) throws IOException {
		return start(name, dependency, AGENT);
	}

	private static Run start(String name, boolean dependency, List<String> options, String... arguments)
			throws IOException {
		Path directory = Files.createDirectories(Path.of("target", "demo"));
		Path seenIn = directory.resolve(name + ".txt");
		Path output = directory.resolve(name + ".log");
		Files.deleteIfExists(seenIn);
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
						"-XX:+UseSerialGC"));
		command.addAll(options);
		command.addAll(List.of("-cp", classPath(dependency), Shop.class.getName(), seenIn.toString()));
		command.addAll(List.of(arguments));
		return new Run(new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start(),
				seenIn, output);
	}

	private static String classPath(boolean dependency) {
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
			.filter((element) -> dependency || !comesWithTheDependency(Path.of(element)))
			.collect(Collectors.joining(File.pathSeparator));
	}

	/**
	 * The other modules of this project are folders before they are packaged.
	 */
	private static boolean comesWithTheDependency(Path element) {
		String name = String.valueOf(element.getFileName());
		return element.endsWith(Path.of("target", "classes")) || name.startsWith("grpc-resilience-")
				|| name.startsWith("resilience4j-") || name.startsWith("concurrency-limits-");
	}

	/**
	 * What it has seen when it has ended.
	 */
	Set<String> seen() throws IOException, InterruptedException {
		assertThat(this.process.waitFor()).as("see %s", this.output).isZero();
		Set<String> seen = new TreeSet<>(Files.readAllLines(this.seenIn));
		for (String line : Files.readAllLines(this.output)) {
			Matcher span = SPAN_OF_AGENT.matcher(line);
			if (span.matches()) {
				seen.add("agent " + span.group(2) + " " + span.group(1) + " " + span.group(3) + " "
						+ attributes(span.group(4)));
			}
		}
		return seen;
	}

	private static List<String> attributes(String text) {
		return Arrays.stream(text.replaceAll("\\d{4,}", "#").split(", ", -1))
			.filter((attribute) -> !attribute.startsWith("thread."))
			.sorted()
			.toList();
	}

	@Override
	public void close() {
		this.process.destroyForcibly();
	}

}
