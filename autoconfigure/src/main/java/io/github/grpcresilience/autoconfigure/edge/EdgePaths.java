package io.github.grpcresilience.autoconfigure.edge;

import java.util.List;

import org.springframework.http.server.PathContainer;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;
import org.springframework.web.util.pattern.PatternParseException;

/**
 * Paths that the edge leaves alone. Immutable.
 */
final class EdgePaths {

	private final List<PathPattern> patterns;

	EdgePaths(List<String> patterns) {
		this.patterns = patterns.stream().map(PathPatternParser.defaultInstance::parse).toList();
	}

	static boolean isPattern(String pattern) {
		try {
			return pattern.startsWith("/") && PathPatternParser.defaultInstance.parse(pattern) != null;
		}
		catch (PatternParseException ex) {
			return false; // the fault says what is expected
		}
	}

	boolean isEmpty() {
		return this.patterns.isEmpty();
	}

	boolean matches(PathContainer path) {
		return this.patterns.stream().anyMatch((pattern) -> pattern.matches(path));
	}

}
