package io.github.grpcresilience.internal.call;

import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Says what callers are told when a call ends before its handler answers it. Safe for
 * concurrent use.
 */
@FunctionalInterface
public interface DeadlineAnswer {

	/**
	 * Answers a call.
	 * @param call the call
	 * @param spentBy the hop further down that spent its budget; {@code null} for none
	 * @param trailers trailers to add to
	 * @return the status
	 */
	Status exceeded(ServedCall call, @Nullable SpentBy spentBy, Metadata trailers);

	/**
	 * What becomes of calls when their server goes away.
	 * @return the same each time
	 */
	default Draining draining() {
		return Draining.NEVER;
	}

}
