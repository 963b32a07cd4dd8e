package io.github.grpcresilience.autoconfigure.stack;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Names the starter to take.
 */
final class WrongStarterFailureAnalyzer extends AbstractFailureAnalyzer<WrongStarterException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, WrongStarterException cause) {
		return new FailureAnalysis(String.valueOf(cause.getMessage()),
				"Replace the dependency; its properties stay as they are.", cause);
	}

}
