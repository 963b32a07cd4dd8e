package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import com.google.gson.stream.JsonReader;

/**
 * Starts JVMs one after the other, and collects what they measured.
 */
final class Forks {

	private static final int OPEN_CALLS = 5_000;

	private final Plan plan;

	Forks(Plan plan) {
		this.plan = plan;
	}

	List<List<Outcome>> pairs(Job job) throws IOException, InterruptedException {
		List<List<Outcome>> forks = new ArrayList<>();
		String variants = job.variants().stream().map(Contender::name).collect(Collectors.joining(","));
		for (int fork = 0; fork < this.plan.forks(); fork++) {
			System.err.printf("%s %s: JVM %d of %d%n", job.scenario().name(), variants, fork + 1, this.plan.forks());
			forks.add(inOrder(job,
					fork(OutcomeJson::read, job.scenario().name(), variants, Double.toString(this.plan.warmUp()),
							Double.toString(this.plan.seconds()), Integer.toString(this.plan.calls()),
							Integer.toString(fork))));
		}
		return forks;
	}

	private static List<Outcome> inOrder(Job job, List<Outcome> outcomes) {
		return job.variants()
			.stream()
			.flatMap((contender) -> outcomes.stream().filter((outcome) -> outcome.variant().equals(contender.name())))
			.toList();
	}

	/**
	 * What an open call of each kind holds, in bytes.
	 */
	Map<String, Double> memory() throws IOException, InterruptedException {
		Map<String, Double> bytes = new LinkedHashMap<>();
		for (String kind : OpenCallMemory.kinds()) {
			System.err.println("memory of " + kind);
			double[] forks = new double[this.plan.forks()];
			for (int fork = 0; fork < forks.length; fork++) {
				forks[fork] = fork(JsonReader::nextDouble, Child.MEMORY, kind, Integer.toString(OPEN_CALLS));
			}
			bytes.put(kind, Outcome.median(forks));
		}
		return bytes;
	}

	private <T> T fork(Answer<T> answer, String... args) throws IOException, InterruptedException {
		Path file = Files.createTempFile("pairs", ".json");
		try {
			List<String> command = new ArrayList<>(
					List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xms1g", "-Xmx1g",
							"-XX:+UseG1GC", "-cp", System.getProperty("java.class.path"), Child.class.getName(),
							file.toString()));
			command.addAll(Arrays.asList(args));
			Process process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
				.redirectError(this.plan.folder().resolve("pairs.log").toFile())
				.start();
			int code = process.waitFor();
			if (code != 0) {
				throw new IllegalStateException(
						"the JVM ended with " + code + ", see " + this.plan.folder().resolve("pairs.log"));
			}
			try (Reader reader = Files.newBufferedReader(file); JsonReader json = new JsonReader(reader)) {
				return answer.read(json);
			}
		}
		finally {
			Files.delete(file);
		}
	}

	/**
	 * Reads what a JVM wrote.
	 */
	@FunctionalInterface
	private interface Answer<T> {

		T read(JsonReader json) throws IOException;

	}

}
