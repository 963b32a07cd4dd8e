package io.github.grpcresilience.autoconfigure.properties;

import java.util.List;

import io.github.grpcresilience.Finding;

/**
 * Looks for findings in what the application brings. Safe for concurrent use.
 */
@FunctionalInterface
public interface FindingSource {

	/**
	 * The findings of this moment.
	 */
	List<Finding> findings();

}
