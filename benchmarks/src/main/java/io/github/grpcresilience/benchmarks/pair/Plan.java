package io.github.grpcresilience.benchmarks.pair;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a command measures.
 *
 * @param title name of the files with its results
 * @param jobs what each fork measures
 * @param forks number of JVMs a job
 * @param seconds how long batches count, for each variant in each JVM
 * @param warmUp how long others are made before them, in seconds
 * @param calls calls of a batch
 * @param memory whether the memory of open calls is measured as well
 * @param folder where the results go
 */
record Plan(String title, List<Job> jobs, int forks, double seconds, double warmUp, int calls, boolean memory,
		Path folder) {

	private static final Path FOLDER = Path.of("benchmarks", "target");

	private static final String USAGE = "--short | --full | --growth, and --scenarios a,b --variants a,b --forks N "
			+ "--seconds S --warm-up S --calls N --out FOLDER";

	/**
	 * Reads what a user wants.
	 * @throws IllegalArgumentException if it is not understood
	 */
	static Plan of(String... args) {
		Plan plan = shortly();
		List<String> words = new ArrayList<>(Arrays.asList(args));
		while (!words.isEmpty()) {
			String word = words.remove(0);
			plan = switch (word) {
				case "--short" -> shortly();
				case "--full" -> fully();
				case "--growth" -> growth();
				default -> {
					if (words.isEmpty()) {
						throw new IllegalArgumentException(word + " is none of " + USAGE);
					}
					yield plan.with(word, words.remove(0));
				}
			};
		}
		return plan;
	}

	private static Plan shortly() {
		return new Plan("pairs-short", jobs(Scenario.SHORT, Contender.SHORT), 2, 5, 4, 800, false, FOLDER);
	}

	private static Plan fully() {
		List<Job> jobs = new ArrayList<>(jobs(Scenario.FULL, Contender.OURS));
		jobs.addAll(jobs(Scenario.OF_PEERS, Contender.PEERS));
		return new Plan("pairs-full", jobs, 5, 1.5, 1, 800, false, FOLDER);
	}

	private static Plan growth() {
		List<Job> jobs = new ArrayList<>(jobs(List.of(Scenario.SHORT.get(0)), Contender.POLICIES));
		jobs.addAll(jobs(Scenario.TOGETHER,
				List.of(Contender.named("floor"), Contender.named("defaults"), Contender.named("everything"))));
		return new Plan("growth", jobs, 5, 1.5, 1, 800, true, FOLDER);
	}

	private static List<Job> jobs(List<Scenario> scenarios, List<Contender> variants) {
		return scenarios.stream().map((scenario) -> new Job(scenario, variants)).toList();
	}

	private Plan with(String option, String value) {
		return switch (option) {
			case "--scenarios" ->
				withJobs(jobs(split(value).stream().map(Scenario::named).toList(), this.jobs.get(0).variants()));
			case "--variants" -> withJobs(jobs(this.jobs.stream().map(Job::scenario).distinct().toList(),
					split(value).stream().map(Contender::named).toList()));
			case "--forks" -> withNumbers(number(value), this.seconds, this.warmUp, this.calls);
			case "--seconds" -> withNumbers(this.forks, Double.parseDouble(value), this.warmUp, this.calls);
			case "--warm-up" -> withNumbers(this.forks, this.seconds, Double.parseDouble(value), this.calls);
			case "--calls" -> withNumbers(this.forks, this.seconds, this.warmUp, number(value));
			case "--out" -> new Plan(this.title, this.jobs, this.forks, this.seconds, this.warmUp, this.calls,
					this.memory, Path.of(value));
			default -> throw new IllegalArgumentException(option + " is none of " + USAGE);
		};
	}

	private static List<String> split(String names) {
		return List.of(names.split(",", -1));
	}

	private static int number(String value) {
		int number = Integer.parseInt(value);
		if (number < 1) {
			throw new IllegalArgumentException(value + " must be at least 1");
		}
		return number;
	}

	private Plan withJobs(List<Job> jobs) {
		return new Plan(this.title, jobs, this.forks, this.seconds, this.warmUp, this.calls, false, this.folder);
	}

	private Plan withNumbers(int forks, double seconds, double warmUp, int calls) {
		return new Plan(this.title, this.jobs, forks, seconds, warmUp, calls, this.memory, this.folder);
	}

}
