package io.github.grpcresilience.internal.admission;

import io.grpc.Status;

/**
 * What the end of a call says about how busy the server is.
 */
enum Outcome {

	/** It took as long as it takes. */
	SERVED,

	/** It would have taken longer, or was told that there is too much to do. */
	OVERLOADED,

	/** Nothing: its caller left, or something that it needs is not there. */
	UNKNOWN;

	static Outcome of(Status.Code code, boolean deadlineExpired) {
		return switch (code) {
			case DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED -> OVERLOADED;
			// To the server a caller that gave up by its deadline looks like one that
			// left.
			case CANCELLED -> deadlineExpired ? OVERLOADED : UNKNOWN;
			case UNAVAILABLE -> UNKNOWN;
			default -> SERVED;
		};
	}

}
