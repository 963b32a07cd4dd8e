package io.github.grpcresilience.gate.resilience4j;

import java.time.Duration;
import java.util.List;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.internal.gate.PolicyGates;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.status.StatusDetails;

/**
 * Registries as an application has them, with one instance of each kind.
 */
final class Engines {

	static final String NAME = "shop";

	static final Duration WAIT_OPEN = Duration.ofMillis(7300);

	final CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();

	final BulkheadRegistry bulkheads = BulkheadRegistry.ofDefaults();

	final RateLimiterRegistry limiters = RateLimiterRegistry.ofDefaults();

	final CircuitBreaker breaker = this.breakers.circuitBreaker(NAME, config().build());

	final Bulkhead bulkhead = this.bulkheads.bulkhead(NAME, BulkheadConfig.custom().maxConcurrentCalls(1).build());

	private final RateLimiter limiter = this.limiters.rateLimiter(NAME,
			RateLimiterConfig.custom()
				.limitForPeriod(2)
				.limitRefreshPeriod(Duration.ofHours(1))
				.timeoutDuration(Duration.ofHours(1))
				.build());

	Engines() {
		this.breakers.addConfiguration("careful", config().build());
	}

	RateLimiter limiter() {
		return this.limiter;
	}

	/** Opens after two failures of two calls; two calls probe it. */
	static CircuitBreakerConfig.Builder config() {
		return CircuitBreakerConfig.custom()
			.slidingWindowSize(100)
			.minimumNumberOfCalls(2)
			.permittedNumberOfCallsInHalfOpenState(2)
			.waitDurationInOpenState(WAIT_OPEN);
	}

	PolicyGates gates() {
		return new PolicyGates(
				List.of(new BreakerInstances(() -> this.breakers), new BreakerConfigs(() -> this.breakers),
						new Bulkheads(() -> this.bulkheads), new RateLimiters(() -> this.limiters)),
				"test");
	}

	GrpcResilienceBuilder client(PolicyDefinition policies) {
		return GrpcResilience.builder().policies(policies).attemptGates(gates());
	}

	int failed() {
		return this.breaker.getMetrics().getNumberOfFailedCalls();
	}

	int succeeded() {
		return this.breaker.getMetrics().getNumberOfSuccessfulCalls();
	}

	static void fail(StreamObserver<?> observer, Status.Code code) {
		observer.onError(code.toStatus().asRuntimeException());
	}

	static ErrorInfo errorInfo(Calls.Ended ended) {
		return unpack(ended, ErrorInfo.class);
	}

	static RetryInfo retryInfo(Calls.Ended ended) {
		return unpack(ended, RetryInfo.class);
	}

	static <T extends com.google.protobuf.Message> T unpack(Calls.Ended ended, Class<T> type) {
		for (Any detail : StatusDetails.read(ended.trailers())) {
			if (detail.is(type)) {
				try {
					return detail.unpack(type);
				}
				catch (InvalidProtocolBufferException ex) {
					throw new AssertionError(ex);
				}
			}
		}
		throw new AssertionError("no " + type.getSimpleName() + " in " + StatusDetails.read(ended.trailers()));
	}

}
