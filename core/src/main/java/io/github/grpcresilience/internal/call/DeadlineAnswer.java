package io.github.grpcresilience.internal.call;

import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Says what callers are told when the time of their call is up. Safe for concurrent use.
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

}
