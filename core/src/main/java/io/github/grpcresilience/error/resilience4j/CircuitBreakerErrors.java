package io.github.grpcresilience.error.resilience4j;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;

/**
 * What the rejections of circuit breakers mean: what the call needs is unavailable.
 */
public final class CircuitBreakerErrors implements BuiltInErrors {

	/** Reason of the answers. */
	public static final String REASON = "CIRCUIT_OPEN";

	private final Function<String, Optional<CircuitBreaker>> finder;

	/**
	 * Answers for all circuit breakers.
	 * @param finder finds one by its name, to see how long callers shall wait, such as
	 * that of a registry; called for each rejection
	 */
	public CircuitBreakerErrors(Function<String, Optional<CircuitBreaker>> finder) {
		this.finder = finder;
	}

	@Override
	public List<ErrorMapper<?>> mappers() {
		return List.of(ErrorMapper.of(CallNotPermittedException.class, (thrown) -> Rejections.unavailable(REASON,
				"something that the call needs is unavailable", waitFor(thrown.getCausingCircuitBreakerName()))));
	}

	/**
	 * The whole time that an open breaker waits: how much of it has passed it does not
	 * tell. Half-open ones are decided upon soon.
	 */
	private Duration waitFor(String name) {
		return this.finder.apply(name)
			.filter((breaker) -> breaker.getState() == CircuitBreaker.State.OPEN)
			.map((breaker) -> breaker.getCircuitBreakerConfig().getWaitIntervalFunctionInOpenState().apply(1))
			.map(Duration::ofMillis)
			.orElse(Rejections.DEFAULT_WAIT);
	}

}
