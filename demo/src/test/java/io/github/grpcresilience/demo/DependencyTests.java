package io.github.grpcresilience.demo;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import com.example.shop.Shop;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the day on which somebody adds the dependency changes in an application.
 */
class DependencyTests {

	@Test
	void changesNothingButWhatIsAnnounced() throws Exception {
		Run without = Run.start("without", false);
		Run disabled = Run.start("disabled", true, "--grpc.resilience.enabled=false");
		Run with = Run.start("with", true);
		Set<String> a = without.seen();
		Set<String> b = disabled.seen();
		Set<String> c = with.seen();
		Path diff = Path.of("target/demo/diff.txt");
		List<String> out = new ArrayList<>();
		add("off-", a, b, out);
		add("off+", b, a, out);
		add("on-", a, c, out);
		add("on+", c, a, out);
		Files.write(diff, out);
		assertThat(out).isEmpty();
	}

	private static void add(String name, Set<String> one, Set<String> other, List<String> out) {
		one.stream().filter((line) -> !other.contains(line)).forEach((line) -> out.add(name + " " + line));
	}

	/** The application in a JVM of its own. */
	private record Run(Process process, Path file, Path output) {

		static Run start(String name, boolean dependency, String... arguments) throws IOException {
			Path directory = Files.createDirectories(Path.of("target/demo"));
			Path file = directory.resolve(name + ".txt");
			Path output = directory.resolve(name + ".log");
			Files.deleteIfExists(file);
			List<String> command = new ArrayList<>(List.of(
					Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
					"-XX:+UseSerialGC", "-cp", classPath(dependency), Shop.class.getName(), file.toString()));
			command.addAll(List.of(arguments));
			Process process = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(output.toFile())
				.start();
			return new Run(process, file, output);
		}

		private static String classPath(boolean dependency) {
			return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
				.filter((element) -> dependency || !comesWithTheDependency(Path.of(element)))
				.collect(Collectors.joining(File.pathSeparator));
		}

		/** The modules of this project are folders before they are packaged. */
		private static boolean comesWithTheDependency(Path element) {
			String name = element.getFileName().toString();
			return element.endsWith(Path.of("target", "classes")) || name.startsWith("grpc-resilience-")
					|| name.startsWith("resilience4j-") || name.startsWith("concurrency-limits-");
		}

		Set<String> seen() throws IOException, InterruptedException {
			assertThat(this.process.waitFor()).as("see %s", this.output).isZero();
			return new TreeSet<>(Files.readAllLines(this.file));
		}

	}

}
