package io.github.grpcresilience;

/**
 * Something in the configuration or the calls that works, though perhaps not as meant.
 * Immutable.
 *
 * @param id stable name of the kind of finding, such as {@code UNMATCHED_METHOD}
 * @param severity how much it matters
 * @param subject what it is about: a method, or a property
 * @param message what was found
 * @param remedy what to do about it
 */
public record Finding(String id, Severity severity, String subject, String message, String remedy) {

	/**
	 * How much a finding matters.
	 */
	public enum Severity {

		/** Worth knowing. */
		INFO,

		/** Worth a change. */
		WARNING

	}

}
