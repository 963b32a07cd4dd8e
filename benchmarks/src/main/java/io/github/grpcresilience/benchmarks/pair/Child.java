package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

import com.google.gson.stream.JsonWriter;

/**
 * A JVM that measures one scenario, or the memory of open calls, and ends.
 */
public final class Child {

	static final String MEMORY = "memory";

	private Child() {
	}

	/**
	 * Measures.
	 * @param args the file to write, scenario, variants, seconds to warm up, seconds that
	 * count, calls of a batch, a number that decides the order; or the file,
	 * {@code memory}, the kind of calls and their number
	 * @throws IOException if the file cannot be written
	 */
	public static void main(String[] args) throws IOException {
		try (Writer writer = Files.newBufferedWriter(Path.of(args[0])); JsonWriter json = new JsonWriter(writer)) {
			if (args[1].equals(MEMORY)) {
				json.value(OpenCallMemory.measure(args[2], Integer.parseInt(args[3])));
			}
			else {
				OutcomeJson.write(json, pairs(args));
			}
		}
		System.exit(0); // peers leave threads behind
	}

	private static List<Outcome> pairs(String[] args) {
		List<Contender> contenders = new ArrayList<>(
				Arrays.stream(args[2].split(",", -1)).map(Contender::named).toList());
		Collections.shuffle(contenders, new Random(Long.parseLong(args[6])));
		try (Pairing pairing = new Pairing(Scenario.named(args[1]), contenders, Integer.parseInt(args[5]))) {
			return pairing.run(Double.parseDouble(args[3]), Double.parseDouble(args[4]));
		}
	}

}
