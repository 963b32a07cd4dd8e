package io.github.grpcresilience.error;

import io.github.grpcresilience.internal.status.TrailerGuard;

/**
 * How errors are answered. Immutable.
 *
 * @param domain domain of reasons that name none
 * @param maxDetailsBytes most bytes that the details of an answer take
 * @param debugInfo whether callers see exceptions that nobody has an answer for, with
 * stack trace
 */
public record ErrorSettings(String domain, int maxDetailsBytes, boolean debugInfo) {

	/** With a message they fit into one page, which is what nginx takes by default. */
	public static final int DEFAULT_DETAILS_BYTES = TrailerGuard.PAGE_DETAILS_BYTES;

	/** More than this breaks connections of clients with grpc-java's defaults. */
	public static final int MOST_DETAILS_BYTES = 5 * 1024;

}
