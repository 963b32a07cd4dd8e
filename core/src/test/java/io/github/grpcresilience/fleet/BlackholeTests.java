package io.github.grpcresilience.fleet;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Measured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * A peer that vanishes without a word, in a network of its own. Nothing is configured but
 * what {@code connections()} sets by default.
 */
@Tag("foreign")
@Tag("namespace")
class BlackholeTests {

	/** What is promised for a peer that is gone while it has calls. */
	private static final long LEFT_MILLIS = 15_000;

	@ParameterizedTest
	@MethodSource("swallowed")
	void silentPeerIsLeft(String swallowed) throws Exception {
		assumeTrue(run("unshare", "-nm", "true").code() == 0, "no right to make network namespaces: run as root");
		Output output = run("unshare", "-nm", "sh", Path.of("src/test/foreign/blackhole.sh").toString(), Replica.java(),
				"-cp", System.getProperty("java.class.path"), Blackhole.class.getName(), swallowed);
		assertThat(output.code()).as("%s", output).isZero();
		assertThat(output.lines()).as("%s", output).last().isEqualTo("back");
		output.lines()
			.stream()
			.filter((line) -> line.startsWith("left ") || line.startsWith("seen "))
			.forEach((line) -> Measured.note("fleet: blackhole, %s swallowed: %s".formatted(swallowed, line)));
		assertThat(output.lines()).as("%s", output)
			.filteredOn((line) -> line.startsWith("left "))
			.singleElement()
			.satisfies((line) -> assertThat(Long.parseLong(line.substring("left ".length()))).isLessThan(LEFT_MILLIS));
	}

	/** One way only is as long again, each. */
	static List<String> swallowed() {
		return Boolean.getBoolean("fleet.one-way") ? List.of("both", "requests", "answers") : List.of("both");
	}

	private static Output run(String... command) throws IOException, InterruptedException {
		Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
		process.getOutputStream().close();
		List<String> lines = process.inputReader(Charset.defaultCharset()).lines().toList();
		assertThat(process.waitFor(1, TimeUnit.MINUTES)).as("%s has ended", List.of(command)).isTrue();
		return new Output(process.exitValue(), lines);
	}

	private record Output(int code, List<String> lines) {
	}

}
