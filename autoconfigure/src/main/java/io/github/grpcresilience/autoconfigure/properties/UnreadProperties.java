package io.github.grpcresilience.autoconfigure.properties;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.origin.OriginLookup;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;

/**
 * Finds what looks like a property of ours and is none: under another root, where nobody
 * asks for it, and among variables and system properties, which Spring Boot lets pass
 * since others share these places. Confined to one thread.
 */
final class UnreadProperties {

	private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("grpc.resilience");

	private static final String LOOK = "grpcresil";

	private final Set<String> known;

	/**
	 * Takes what is read.
	 * @param bound keys of the properties that have values
	 * @param faulty keys of the properties that have faults
	 */
	UnreadProperties(Set<String> bound, Set<String> faulty) {
		this.known = Stream.concat(bound.stream(), faulty.stream())
			.map(UnreadProperties::bare)
			.collect(Collectors.toSet());
	}

	List<Finding> in(Environment environment) {
		List<Finding> found = new ArrayList<>();
		if (environment instanceof ConfigurableEnvironment configurable) {
			for (PropertySource<?> source : configurable.getPropertySources()) {
				if (source instanceof EnumerablePropertySource<?> enumerable) {
					for (String name : enumerable.getPropertyNames()) {
						if (isUnread(source, name)) {
							found.add(unread(source, name));
						}
					}
				}
			}
		}
		return found;
	}

	private boolean isUnread(PropertySource<?> source, String name) {
		if (!name.regionMatches(true, 0, LOOK, 0, 4)) {
			return false; // nearly all that there is, system properties included
		}
		String bare = bare(name);
		return bare.startsWith(LOOK)
				&& (!isBelowRoot(source, name) || this.known.stream().noneMatch((known) -> known.startsWith(bare)));
	}

	/**
	 * Variables have no dots.
	 */
	private static boolean isBelowRoot(PropertySource<?> source, String name) {
		return (source instanceof SystemEnvironmentPropertySource) ? bare(name).startsWith(bare(ROOT.toString()))
				: ROOT.isAncestorOf(ConfigurationPropertyName.adapt(name, '.'));
	}

	private static Finding unread(PropertySource<?> source, String name) {
		Object origin = (source instanceof OriginLookup<?>) ? OriginLookup.getOrigin(asLookup(source), name) : null;
		return new Finding("UNKNOWN_PROPERTY", Severity.WARNING, name,
				"it is not read (" + ((origin != null) ? origin : source.getName()) + ")",
				"correct its name, or remove it: properties begin with " + ROOT
						+ ", variables with GRPC_RESILIENCE_, and the reference lists them");
	}

	@SuppressWarnings("unchecked")
	private static OriginLookup<String> asLookup(PropertySource<?> source) {
		return (OriginLookup<String>) source;
	}

	private static String bare(String name) {
		return name.replaceAll("[^A-Za-z0-9]", "").toLowerCase(Locale.ROOT);
	}

}
