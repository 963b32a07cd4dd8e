package io.github.grpcresilience.benchmarks.pair;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What calls of a variant cost in one JVM.
 *
 * @param variant name of the variant
 * @param cpuRatio CPU time, as a multiple of that of calls with nothing but a deadline
 * @param bytesMore allocated bytes of a call, less those of a call with a deadline
 * @param cpuNanos CPU time of a call in nanoseconds
 * @param bytes allocated bytes of a call
 */
record Outcome(String variant, double cpuRatio, double bytesMore, double cpuNanos, double bytes) {

	static double median(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
		return median(outcomes.stream().mapToDouble(value).toArray());
	}

	static double median(double[] values) {
		double[] sorted = values.clone();
		Arrays.sort(sorted);
		int middle = sorted.length / 2;
		return (sorted.length % 2 == 1) ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
	}

}
