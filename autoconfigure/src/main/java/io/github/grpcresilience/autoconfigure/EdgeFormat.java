package io.github.grpcresilience.autoconfigure;

/**
 * Form in which failures are answered over HTTP.
 */
enum EdgeFormat {

	/** A problem (RFC 9457). */
	PROBLEM,

	/** The JSON of Google's APIs (AIP-193). */
	GOOGLE

}
