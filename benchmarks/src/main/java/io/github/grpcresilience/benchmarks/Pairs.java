package io.github.grpcresilience.benchmarks;

import java.io.IOException;

import io.github.grpcresilience.benchmarks.pair.PairCommand;

/**
 * What a call costs, by pairs: in one JVM variants take turns in batches of calls, and
 * CPU time of all Java threads and allocated bytes are compared with those of the
 * neighbouring batch that has nothing but a deadline. Prints medians over several JVMs.
 * {@code --short}, which is the default, says in two minutes whether a change made calls
 * dearer; {@code --full} compares with code written by hand and with other libraries;
 * {@code --growth} looks at many policies, many calls at once, and the memory of open
 * ones.
 */
public final class Pairs {

	private Pairs() {
	}

	/**
	 * Measures.
	 * @param args {@code --short}, {@code --full} or {@code --growth}, and options such
	 * as {@code --variants defaults,retry --forks 3}
	 * @throws IOException if a JVM cannot be started or a file not be written
	 * @throws InterruptedException if the thread is interrupted while it waits for a JVM
	 */
	public static void main(String[] args) throws IOException, InterruptedException {
		PairCommand.run(args);
	}

}
