package io.github.grpcresilience.gate.resilience4j;

import java.util.stream.Collectors;
import java.util.stream.Stream;

import io.github.grpcresilience.gate.GateSource.Problem;

/**
 * What to say of names that nobody knows.
 */
final class Names {

	private Names() {
	}

	static Problem unknown(String kind, String prefix, Stream<String> known) {
		String names = known.sorted().collect(Collectors.joining(", "));
		return new Problem("is not the name of a " + kind + " of resilience4j", "define it below " + prefix
				+ ".instances, or correct the name; " + (names.isEmpty() ? "there are none" : "there are: " + names));
	}

}
