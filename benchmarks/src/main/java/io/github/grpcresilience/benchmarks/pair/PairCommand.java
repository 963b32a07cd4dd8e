package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.nio.file.Files;

/**
 * The command behind {@code Pairs}.
 */
public final class PairCommand {

	private PairCommand() {
	}

	/**
	 * Measures, prints a Markdown table, and writes it and the numbers of each JVM into
	 * files.
	 * @param args what to measure
	 * @throws IOException if a JVM cannot be started or a file not be written
	 * @throws InterruptedException if the thread is interrupted while it waits for a JVM
	 * @throws IllegalArgumentException if the arguments are not understood
	 */
	public static void run(String... args) throws IOException, InterruptedException {
		Plan plan = Plan.of(args);
		Files.createDirectories(plan.folder());
		Forks forks = new Forks(plan);
		Report report = new Report(plan);
		for (Job job : plan.jobs()) {
			report.add(job.scenario(), forks.pairs(job));
			report.write(); // so that a run that is stopped has not been for nothing
		}
		if (plan.memory()) {
			report.addMemory(forks.memory());
			report.write();
		}
		System.out.println(report.markdown());
	}

}
