package io.github.grpcresilience.frameworks;

import java.util.List;
import java.util.Set;

import org.springframework.boot.autoconfigure.AutoConfigurationImportFilter;
import org.springframework.boot.autoconfigure.AutoConfigurationMetadata;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.env.Environment;

/**
 * Lets through what an application asks for: with all frameworks of the class path at
 * once none of them would be as people have it.
 */
public final class ChosenAutoConfigurations implements AutoConfigurationImportFilter, EnvironmentAware {

	static final String PROPERTY = "frameworks.auto-configurations";

	private static final List<String> ALWAYS = List.of("io.github.grpcresilience.", "net.devh.",
			"org.springframework.boot.autoconfigure.aop.", "org.springframework.boot.autoconfigure.context.");

	private Environment environment;

	@Override
	public void setEnvironment(Environment environment) {
		this.environment = environment;
	}

	@Override
	public boolean[] match(String[] candidates, AutoConfigurationMetadata metadata) {
		Set<String> chosen = Set.of(this.environment.getProperty(PROPERTY, String[].class, new String[0]));
		boolean[] matches = new boolean[candidates.length];
		for (int i = 0; i < candidates.length; i++) {
			matches[i] = candidates[i] != null && isLetThrough(candidates[i], chosen);
		}
		return matches;
	}

	/**
	 * Spring Boot also asks for what auto-configurations import, which comes with them.
	 */
	private static boolean isLetThrough(String candidate, Set<String> chosen) {
		return !candidate.endsWith("AutoConfiguration") || chosen.contains(candidate)
				|| ALWAYS.stream().anyMatch(candidate::startsWith);
	}

}
