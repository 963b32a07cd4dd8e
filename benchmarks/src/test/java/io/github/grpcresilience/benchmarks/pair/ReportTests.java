package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Report}, {@link Plan} and {@link OutcomeJson}.
 */
class ReportTests {

	private static final List<List<Outcome>> FORKS = List.of(List.of(new Outcome("defaults", 1.37, 903, 2740, 4603)),
			List.of(new Outcome("defaults", 1.25, 905, 2500, 4605)),
			List.of(new Outcome("defaults", 1.28, 899, 2560, 4599)));

	@Test
	void showsTheMedianJvmAndTheOutermostOnes(@TempDir Path folder) throws IOException {
		Report report = new Report(Plan.of("--short", "--out", folder.toString()));
		report.add(Scenario.SHORT.get(0), FORKS);
		report.write();
		assertThat(report.markdown()).contains("| defaults | 1.28 (1.25–1.37) +903 B |").contains("| 2.0, 3700 |");
		String json = Files.readString(folder.resolve("pairs-short.json"));
		assertThat(JsonParser.parseString(json)
			.getAsJsonObject()
			.getAsJsonObject("scenarios")
			.getAsJsonArray("direct/unary/busy")).hasSize(3);
	}

	@Test
	void readsWhatJvmsWrite() throws IOException {
		StringWriter text = new StringWriter();
		OutcomeJson.write(new JsonWriter(text), FORKS.get(0));
		assertThat(OutcomeJson.read(new JsonReader(new StringReader(text.toString())))).isEqualTo(FORKS.get(0));
	}

	@Test
	void takesVariantsAndForksFromTheUser() {
		Plan plan = Plan.of("--full", "--variants", "retry,gax", "--scenarios", "netty/unary/idle", "--forks", "7");
		assertThat(plan.forks()).isEqualTo(7);
		assertThat(plan.jobs()).singleElement().satisfies((job) -> {
			assertThat(job.scenario().name()).isEqualTo("netty/unary/idle");
			assertThat(job.variants()).extracting(Contender::name).containsExactly("retry", "gax");
		});
	}

}
