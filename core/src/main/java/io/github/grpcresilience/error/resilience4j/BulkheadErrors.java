package io.github.grpcresilience.error.resilience4j;

import java.util.List;

import io.github.resilience4j.bulkhead.BulkheadFullException;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;

/**
 * What the rejections of bulkheads mean: too much is going on at once.
 */
public final class BulkheadErrors implements BuiltInErrors {

	/** Reason of the answers. */
	public static final String REASON = "BULKHEAD_FULL";

	/**
	 * Whether a place is free depends on the calls that hold one, which nobody can
	 * foretell.
	 */
	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(ErrorMapper.of(BulkheadFullException.class, (thrown) -> Rejections.exhausted(REASON,
				"too many calls at once", Rejections.DEFAULT_WAIT, "concurrency")));
	}

}
