package io.github.grpcresilience.benchmarks.pair;

import java.util.List;

/**
 * What one JVM measures.
 *
 * @param scenario where calls are measured
 * @param variants what takes turns
 */
record Job(Scenario scenario, List<Contender> variants) {
}
