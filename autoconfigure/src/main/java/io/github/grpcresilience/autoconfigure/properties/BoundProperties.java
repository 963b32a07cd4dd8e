package io.github.grpcresilience.autoconfigure.properties;

import java.util.List;
import java.util.Locale;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * The properties with the origin of each value that somebody wrote, and what was wrong
 * with them. Immutable.
 *
 * @param properties the values; what could not be read is absent
 * @param origins origins by {@link #key(String) key} of the property's name
 * @param faults properties that are unknown or whose values cannot be read
 * @param unread what looks like a property of ours, and is not read
 */
public record BoundProperties(GrpcResilienceProperties properties, Map<String, Origin> origins,
		List<PolicyFault> faults, List<Finding> unread) implements FindingSource {

	/**
	 * Copies the collections.
	 */
	public BoundProperties {
		origins = Map.copyOf(origins);
		faults = List.copyOf(faults);
		unread = List.copyOf(unread);
	}

	@Override
	public List<Finding> findings() {
		return this.unread;
	}

	public @Nullable Origin findOrigin(String property) {
		return this.origins.get(key(property));
	}

	/**
	 * Whether somebody wrote a property below a prefix.
	 */
	public boolean isAnySet(String prefix) {
		String begin = key(prefix) + ".";
		return this.origins.keySet().stream().anyMatch((key) -> key.startsWith(begin));
	}

	/**
	 * Origin of a value that is written at the property itself or in an element of it.
	 */
	public Origin originOfElement(String property, int index) {
		Origin origin = findOrigin(property + "[" + index + "]");
		if (origin == null) {
			origin = findOrigin(property);
		}
		return (origin != null) ? origin : Origin.builtIn(property);
	}

	/**
	 * Makes names equal that relaxed binding treats as equal.
	 */
	static String key(String name) {
		return name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "").replace("[", ".").replace("]", "");
	}

}
