package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;

/**
 * Outcomes as JSON: an array of flat objects.
 */
final class OutcomeJson {

	private OutcomeJson() {
	}

	static void write(JsonWriter json, List<Outcome> outcomes) throws IOException {
		json.beginArray();
		for (Outcome outcome : outcomes) {
			json.beginObject();
			json.name("variant").value(outcome.variant());
			json.name("cpuRatio").value(outcome.cpuRatio());
			json.name("bytesMore").value(outcome.bytesMore());
			json.name("cpuNanos").value(outcome.cpuNanos());
			json.name("bytes").value(outcome.bytes());
			json.endObject();
		}
		json.endArray();
	}

	static List<Outcome> read(JsonReader json) throws IOException {
		List<Outcome> outcomes = new ArrayList<>();
		json.beginArray();
		while (json.hasNext()) {
			outcomes.add(readOne(json));
		}
		json.endArray();
		return outcomes;
	}

	private static Outcome readOne(JsonReader json) throws IOException {
		String variant = "";
		Map<String, Double> numbers = new HashMap<>();
		json.beginObject();
		while (json.hasNext()) {
			String name = json.nextName();
			if (name.equals("variant")) {
				variant = json.nextString();
			}
			else {
				numbers.put(name, json.nextDouble());
			}
		}
		json.endObject();
		return new Outcome(variant, number(numbers, "cpuRatio"), number(numbers, "bytesMore"),
				number(numbers, "cpuNanos"), number(numbers, "bytes"));
	}

	private static double number(Map<String, Double> numbers, String name) {
		Double number = numbers.get(name);
		if (number == null) {
			throw new IllegalArgumentException("no " + name);
		}
		return number;
	}

}
