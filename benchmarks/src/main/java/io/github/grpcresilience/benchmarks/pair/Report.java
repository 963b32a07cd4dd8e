package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

import com.google.gson.stream.JsonWriter;
import org.jspecify.annotations.Nullable;

/**
 * What all JVMs measured, as Markdown and as JSON.
 */
final class Report {

	private final Plan plan;

	/** Outcomes of each JVM by scenario and variant. */
	private final Map<String, Map<String, List<Outcome>>> results = new LinkedHashMap<>();

	/** Bytes of open calls by their kind. */
	private final Map<String, Double> memory = new LinkedHashMap<>();

	Report(Plan plan) {
		this.plan = plan;
	}

	void add(Scenario scenario, List<List<Outcome>> forks) {
		add(this.results.computeIfAbsent(scenario.name(), (name) -> new LinkedHashMap<>()), forks);
	}

	void addMemory(Map<String, Double> bytes) {
		this.memory.putAll(bytes);
	}

	private static void add(Map<String, List<Outcome>> byVariant, List<List<Outcome>> forks) {
		for (List<Outcome> fork : forks) {
			fork.forEach((outcome) -> byVariant.computeIfAbsent(outcome.variant(), (name) -> new ArrayList<>())
				.add(outcome));
		}
	}

	/**
	 * CPU of a call as a multiple of that of a call with a deadline, lowest and highest
	 * JVM in parentheses, and the bytes it allocates beyond that call.
	 */
	String markdown() {
		StringBuilder text = new StringBuilder();
		text.append("| |");
		this.results.keySet().forEach((scenario) -> text.append(' ').append(scenario).append(" |"));
		text.append("\n|---|").append("---|".repeat(this.results.size())).append('\n');
		for (String variant : this.results.values()
			.stream()
			.flatMap((each) -> each.keySet().stream())
			.distinct()
			.toList()) {
			text.append("| ").append(variant).append(" |");
			this.results.values().forEach((each) -> text.append(cell(each.get(variant))));
			text.append('\n');
		}
		text.append("| BD: µs, bytes a call |");
		this.results.values().forEach((each) -> text.append(base(each)));
		return text.append('\n').append(memory()).toString();
	}

	private static String cell(@Nullable List<Outcome> forks) {
		if (forks == null) {
			return " |";
		}
		double[] ratios = forks.stream().mapToDouble(Outcome::cpuRatio).sorted().toArray();
		return String.format(Locale.ROOT, " %.2f (%.2f–%.2f) %+.0f B |", Outcome.median(ratios), ratios[0],
				ratios[ratios.length - 1], Outcome.median(forks, Outcome::bytesMore));
	}

	private static String base(Map<String, List<Outcome>> each) {
		List<Outcome> all = each.values().stream().flatMap(List::stream).toList();
		ToDoubleFunction<Outcome> nanos = (outcome) -> outcome.cpuNanos() / outcome.cpuRatio();
		ToDoubleFunction<Outcome> bytes = (outcome) -> outcome.bytes() - outcome.bytesMore();
		return String.format(Locale.ROOT, " %.1f, %.0f |", Outcome.median(all, nanos) / 1000,
				Outcome.median(all, bytes));
	}

	private String memory() {
		if (this.memory.isEmpty()) {
			return "";
		}
		StringBuilder text = new StringBuilder("\n| open call | bytes |\n|---|---|\n");
		this.memory.forEach((kind, bytes) -> text.append(String.format(Locale.ROOT, "| %s | %.0f |%n", kind, bytes)));
		return text.toString();
	}

	/**
	 * Writes both files.
	 */
	void write() throws IOException {
		Path markdown = this.plan.folder().resolve(this.plan.title() + ".md");
		Files.writeString(markdown, markdown());
		Path data = this.plan.folder().resolve(this.plan.title() + ".json");
		try (Writer writer = Files.newBufferedWriter(data); JsonWriter json = new JsonWriter(writer)) {
			json.setIndent("\t");
			json.beginObject();
			json.name("java").value(Runtime.version().toString());
			json.name("processors").value(Runtime.getRuntime().availableProcessors());
			json.name("secondsPerVariant").value(this.plan.seconds());
			json.name("warmUpSecondsPerVariant").value(this.plan.warmUp());
			json.name("callsPerBatch").value(this.plan.calls());
			json.name("scenarios").beginObject();
			for (Map.Entry<String, Map<String, List<Outcome>>> scenario : this.results.entrySet()) {
				json.name(scenario.getKey());
				OutcomeJson.write(json, scenario.getValue().values().stream().flatMap(List::stream).toList());
			}
			json.endObject();
			json.name("bytesOfOpenCalls").beginObject();
			for (Map.Entry<String, Double> kind : this.memory.entrySet()) {
				json.name(kind.getKey()).value(kind.getValue());
			}
			json.endObject();
			json.endObject();
		}
	}

}
