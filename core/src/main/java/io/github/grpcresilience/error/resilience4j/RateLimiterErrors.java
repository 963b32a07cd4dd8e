package io.github.grpcresilience.error.resilience4j;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;

/**
 * What the rejections of rate limiters mean: too many calls for now.
 */
public final class RateLimiterErrors implements BuiltInErrors {

	/** Reason of the answers. */
	public static final String REASON = "RATE_LIMITED";

	private final Function<String, Optional<RateLimiter>> finder;

	/**
	 * Answers for all rate limiters.
	 * @param finder finds one by its name, to see how long callers shall wait, such as
	 * that of a registry; called for each rejection
	 */
	public RateLimiterErrors(Function<String, Optional<RateLimiter>> finder) {
		this.finder = finder;
	}

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(ErrorMapper.of(RequestNotPermitted.class, (thrown) -> Rejections.exhausted(REASON,
				"too many calls for now", waitFor(thrown.getCausingRateLimiterName()), "rate")));
	}

	/** After a whole period there are permissions again, for whoever comes first. */
	private Duration waitFor(String name) {
		return this.finder.apply(name)
			.map((limiter) -> limiter.getRateLimiterConfig().getLimitRefreshPeriod())
			.orElse(Rejections.DEFAULT_WAIT);
	}

}
