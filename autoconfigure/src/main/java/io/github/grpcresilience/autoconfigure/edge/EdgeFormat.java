package io.github.grpcresilience.autoconfigure.edge;

/**
 * Form in which failures are answered over HTTP.
 */
public enum EdgeFormat {

	/** A problem (RFC 9457). */
	PROBLEM,

	/** The JSON of Google's APIs (AIP-193). */
	GOOGLE

}
