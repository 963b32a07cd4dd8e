package io.github.grpcresilience.autoconfigure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;
import org.yaml.snakeyaml.Yaml;

import io.github.grpcresilience.autoconfigure.edge.EdgeFaults;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.PolicyDefinitions;
import io.github.grpcresilience.autoconfigure.properties.PropertiesBinder;
import io.github.grpcresilience.internal.policy.AllSettings;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.policy.PolicyFault;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The documentation says what the code does. Runs in the folder of the module.
 */
class DocumentationTests {

	private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

	private static final Path REFERENCE = ROOT.resolve("docs/reference.md");

	private static final Path METADATA = Path.of("target/classes/META-INF/spring-configuration-metadata.json");

	private static final String BEGIN = "<!-- generated from the configuration metadata: begin -->\n";

	private static final String END = "<!-- generated from the configuration metadata: end -->\n";

	private static final Pattern BLOCK = Pattern.compile("^( *)```(\\w+)\\n(.*?)^ *```$",
			Pattern.MULTILINE | Pattern.DOTALL);

	private static final Pattern LINK = Pattern.compile("]\\(([^)#\\s]+)(?:#[^)]*)?\\)");

	private static final Pattern COORDINATES = Pattern
		.compile("io\\.github\\.grpcresilience(?::|</groupId>\\s*<artifactId>)([a-z-]+)"
				+ "(?::|</artifactId>\\s*<version>)([\\w.-]+)");

	private static final Pattern VERSION = Pattern
		.compile("<artifactId>grpc-resilience-parent</artifactId>\\s*<version>([^<]+)</version>");

	@Test
	void referenceIsWhatTheMetadataSays() throws IOException {
		String reference = Files.readString(REFERENCE);
		int begin = reference.indexOf(BEGIN) + BEGIN.length();
		String expected = reference.substring(0, begin) + properties() + reference.substring(reference.indexOf(END));
		if (Boolean.getBoolean("grpcresilience.docs.update")) {
			Files.writeString(REFERENCE, expected);
		}
		assertThat(Files.readString(REFERENCE)).as("regenerate with -Dgrpcresilience.docs.update=true")
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@EnumSource
	void referenceListsTheSettingsOfPolicies(Side side) throws IOException {
		String section = section("## Settings of a " + SettingText.of(side) + " policy");
		List<String> documented = matches(Pattern.compile("^\\| `((?!clients|methods)[^`]+)`", Pattern.MULTILINE),
				section);
		assertThat(documented)
			.containsExactlyElementsOf(AllSettings.of(side).stream().map((key) -> key.name()).toList());
	}

	@ParameterizedTest
	@MethodSource("yamlExamples")
	void yamlExampleHasNoFaults(Example example) throws IOException {
		StandardEnvironment environment = new StandardEnvironment();
		new YamlPropertySourceLoader()
			.load(example.page(), new ByteArrayResource(example.text().getBytes(StandardCharsets.UTF_8)))
			.forEach(environment.getPropertySources()::addFirst);
		BoundProperties bound = PropertiesBinder.bind(environment);
		PolicyDefinitions definitions = new PolicyDefinitions(bound);
		List<PolicyFault> faults = new ArrayList<>(bound.faults());
		faults.addAll(EdgeFaults.of(bound));
		faults.addAll(PolicyTable.check(definitions.server(), definitions.client()));
		assertThat(faults).isEmpty();
	}

	/** What Kubernetes gives a pod from SIGTERM to SIGKILL. */
	@ParameterizedTest
	@MethodSource("deployments")
	void deploymentGivesTheDrainItsTime(Example example) throws IOException {
		Map<String, Object> pod = map(map(map(new Yaml().load(example.text()), "spec"), "template"), "spec");
		Map<String, String> variables = new LinkedHashMap<>();
		for (Object container : (List<?>) pod.get("containers")) {
			for (Object variable : (List<?>) ((Map<?, ?>) container).get("env")) {
				variables.put((String) ((Map<?, ?>) variable).get("name"),
						(String) ((Map<?, ?>) variable).get("value"));
			}
		}
		StandardEnvironment environment = new StandardEnvironment();
		environment.getPropertySources()
			.addFirst(new SystemEnvironmentPropertySource(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
					new LinkedHashMap<>(variables)));
		ConfigurationPropertySources.attach(environment);
		assertThat(PropertiesBinder.bind(environment).faults()).isEmpty();
		assertThat(variables).isNotEmpty();
		assertThat(propertyNames()).containsAll(variables.keySet());
		Duration pause = drain(environment, "pause", Duration.ZERO);
		Duration limit = drain(environment, "limit", Duration.ofSeconds(20));
		assertThat((Integer) pod.get("terminationGracePeriodSeconds"))
			.isGreaterThan((int) pause.plus(limit).toSeconds() + 1);
	}

	private static Duration drain(StandardEnvironment environment, String name, Duration absent) {
		return Binder.get(environment).bind("grpc.resilience.server.drain." + name, Duration.class).orElse(absent);
	}

	private static List<String> propertyNames() throws IOException {
		return new ObjectMapper().readTree(METADATA.toFile())
			.path("properties")
			.findValuesAsText("name")
			.stream()
			.map((name) -> name.replace("-", "").replace('.', '_').toUpperCase(Locale.ROOT))
			.toList();
	}

	@SuppressWarnings("unchecked")
	private static Map<String, Object> map(Map<String, Object> parent, String key) {
		return (Map<String, Object>) parent.get(key);
	}

	@ParameterizedTest
	@MethodSource("javaExamples")
	void javaExampleStandsInTheSources(Example example) throws IOException {
		assertThat(sources()).anyMatch((file) -> containsInOrder(lines(file), example.text().lines().toList()));
	}

	@Test
	void commandsOfTheSampleStandInTheReadme() throws IOException {
		String application = Files
			.readString(ROOT.resolve("sample-app/src/main/java/io/github/grpcresilience/sample/ShopApplication.java"));
		List<String> commands = matches(Pattern.compile("^\\s+(curl -s .*)$", Pattern.MULTILINE), application);
		assertThat(commands).hasSize(3)
			.allSatisfy((command) -> assertThat(Files.readAllLines(ROOT.resolve("README.md")))
				.contains(command.replace("%1$s", "http://localhost:8080").replace("%2$d", "8081")));
	}

	@Test
	void readmeIsShort() throws IOException {
		assertThat(Files.readAllLines(ROOT.resolve("README.md"))).hasSizeLessThanOrEqualTo(150);
	}

	@Test
	void coordinatesAreThoseOfTheBuild() throws IOException {
		String pom = Files.readString(ROOT.resolve("pom.xml"));
		String version = matches(VERSION, pom).get(0);
		String bom = Files.readString(ROOT.resolve("bom/pom.xml"));
		List<String> found = new ArrayList<>();
		for (Path page : pages().toList()) {
			COORDINATES.matcher(Files.readString(page)).results().forEach((match) -> {
				found.add(match.group());
				assertThat(match.group(2)).as("version in %s", page).isEqualTo(version);
				assertThat(pom + bom).contains("<artifactId>" + match.group(1) + "</artifactId>");
			});
		}
		assertThat(found).isNotEmpty();
	}

	@ParameterizedTest
	@MethodSource("pages")
	void relativeLinksLeadToFiles(Path page) throws IOException {
		assertThat(matches(LINK, Files.readString(page))).filteredOn((link) -> !link.contains(":"))
			.allSatisfy((link) -> assertThat(page.resolveSibling(link)).exists());
	}

	static Stream<Path> pages() throws IOException {
		try (Stream<Path> docs = Files.walk(ROOT.resolve("docs")); Stream<Path> root = Files.list(ROOT)) {
			return Stream.concat(root, docs)
				.filter((file) -> file.toString().endsWith(".md"))
				.sorted()
				.toList()
				.stream();
		}
	}

	static Stream<Example> yamlExamples() throws IOException {
		return examples("yaml").filter((example) -> example.text().contains("grpc"));
	}

	static Stream<Example> deployments() throws IOException {
		return examples("yaml").filter((example) -> example.text().contains("kind: Deployment"));
	}

	static Stream<Example> javaExamples() throws IOException {
		return examples("java");
	}

	private static Stream<Example> examples(String language) throws IOException {
		List<Example> examples = new ArrayList<>();
		for (Path page : pages().toList()) {
			BLOCK.matcher(Files.readString(page))
				.results()
				.filter((block) -> block.group(2).equals(language))
				.forEach((block) -> examples.add(new Example(ROOT.relativize(page).toString(),
						block.group(3).replaceAll("(?m)^" + block.group(1), ""))));
		}
		return examples.stream();
	}

	private static List<Path> sources() throws IOException {
		List<Path> sources = new ArrayList<>();
		try (Stream<Path> modules = Files.list(ROOT)) {
			for (Path src : modules.map((module) -> module.resolve("src")).filter(Files::isDirectory).toList()) {
				try (Stream<Path> files = Files.walk(src)) {
					files.filter((file) -> file.toString().endsWith(".java")).forEach(sources::add);
				}
			}
		}
		return sources;
	}

	private static List<String> lines(Path file) {
		try {
			return Files.readAllLines(file);
		}
		catch (IOException ex) {
			throw new IllegalStateException("cannot read " + file, ex);
		}
	}

	private static boolean containsInOrder(List<String> lines, List<String> wanted) {
		Iterator<String> source = lines.stream().map(String::strip).iterator();
		return wanted.stream()
			.map(String::strip)
			.filter((line) -> !line.isEmpty())
			.allMatch((line) -> hasNext(source, line));
	}

	private static boolean hasNext(Iterator<String> source, String line) {
		while (source.hasNext()) {
			if (source.next().equals(line)) {
				return true;
			}
		}
		return false;
	}

	private static List<String> matches(Pattern pattern, String text) {
		return pattern.matcher(text).results().map((match) -> match.group(1)).toList();
	}

	private static String section(String heading) throws IOException {
		String reference = Files.readString(REFERENCE);
		Matcher matcher = Pattern
			.compile(Pattern.quote(heading) + "\\n(.*?)(?=^## |\\z)", Pattern.MULTILINE | Pattern.DOTALL)
			.matcher(reference);
		assertThat(matcher.find()).as(heading).isTrue();
		return matcher.group(1);
	}

	private static String properties() throws IOException {
		JsonNode metadata = new ObjectMapper().readTree(METADATA.toFile());
		StringBuilder table = new StringBuilder("| property | type | default | description |\n|---|---|---|---|\n");
		for (JsonNode property : metadata.path("properties")) {
			String name = property.path("name").asText();
			if (name.startsWith("grpc.resilience.")) {
				table.append("| `%s` | %s | %s | %s |%n".formatted(name, type(property, metadata),
						defaultValue(property), property.path("description").asText()));
			}
		}
		return table.toString().replace(System.lineSeparator(), "\n");
	}

	private static String type(JsonNode property, JsonNode metadata) {
		String type = property.path("type").asText();
		if (type.startsWith("java.util.Map<java.lang.String,io.github.grpcresilience.")
				&& hasHints(property, metadata)) {
			return "by name " + code(valuesOf(property.path("name").asText() + ".values", metadata));
		}
		if (type.startsWith("io.github.grpcresilience.")) {
			return code(valuesOf(property.path("name").asText(), metadata));
		}
		return type.endsWith("java.lang.Integer>") ? "numbers by name"
				: type.startsWith("java.util.Map")
						? (type.endsWith("Policy>") ? "policies by name" : "settings by name")
						: type.startsWith("java.util.List") ? "list" : switch (type) {
							case "java.lang.Double" -> "number";
							default -> type.substring(type.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
						};
	}

	private static boolean hasHints(JsonNode property, JsonNode metadata) {
		String name = property.path("name").asText() + ".values";
		return metadata.path("hints").findValuesAsText("name").contains(name);
	}

	private static List<String> valuesOf(String name, JsonNode metadata) {
		List<String> values = new ArrayList<>();
		for (JsonNode hint : metadata.path("hints")) {
			if (hint.path("name").asText().equals(name)) {
				hint.path("values").forEach((value) -> values.add(value.path("value").asText()));
			}
		}
		assertThat(values).as("hints of %s", name).isNotEmpty();
		return values;
	}

	private static String defaultValue(JsonNode property) {
		JsonNode value = property.path("defaultValue");
		List<String> values = new ArrayList<>();
		if (value.isArray()) {
			value.forEach((element) -> values.add(element.asText()));
		}
		else if (!value.isMissingNode()) {
			values.add(value.asText());
		}
		return code(values);
	}

	private static String code(List<String> values) {
		return String.join(", ", values.stream().map((value) -> "`" + value + "`").toList());
	}

	/** A fenced block of a page. */
	record Example(String page, String text) {
	}

}
