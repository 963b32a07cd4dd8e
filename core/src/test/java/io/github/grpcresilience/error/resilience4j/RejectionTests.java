package io.github.grpcresilience.error.resilience4j;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.ThreadPoolBulkhead;
import io.github.resilience4j.bulkhead.ThreadPoolBulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import io.grpc.Status;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.error.Answers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class RejectionTests {

	private static final String NAME = "secret-instance";

	private final CircuitBreakerRegistry breakers = CircuitBreakerRegistry.of(CircuitBreakerConfig.custom()
		.waitDurationInOpenState(Duration.ofMillis(7050))
		.permittedNumberOfCallsInHalfOpenState(1)
		.build());

	@Test
	void openCircuitBreakerTellsItsWait() {
		CircuitBreaker breaker = this.breakers.circuitBreaker(NAME);
		breaker.transitionToOpenState();
		GrpcError error = map(new CircuitBreakerErrors(this.breakers::find), breaker::acquirePermission);
		assertRejection(error, Status.Code.UNAVAILABLE, "CIRCUIT_OPEN", Duration.ofMillis(7050));
		assertThat(Answers.details(error)).containsExactly("ErrorInfo", "RetryInfo");
	}

	@Test
	void halfOpenCircuitBreakerIsWorthASecond() {
		CircuitBreaker breaker = this.breakers.circuitBreaker(NAME);
		breaker.transitionToOpenState();
		breaker.transitionToHalfOpenState();
		breaker.acquirePermission();
		assertRejection(map(new CircuitBreakerErrors(this.breakers::find), breaker::acquirePermission),
				Status.Code.UNAVAILABLE, "CIRCUIT_OPEN", Duration.ofSeconds(1));
	}

	@Test
	void unregisteredCircuitBreakerIsWorthASecond() {
		CircuitBreaker breaker = CircuitBreaker.of(NAME, CircuitBreakerConfig.ofDefaults());
		breaker.transitionToForcedOpenState();
		assertRejection(map(new CircuitBreakerErrors(this.breakers::find), breaker::acquirePermission),
				Status.Code.UNAVAILABLE, "CIRCUIT_OPEN", Duration.ofSeconds(1));
		assertThat(this.breakers.getAllCircuitBreakers()).as("a look-up creates none").isEmpty();
	}

	@Test
	void fullBulkheadExhaustsAQuota() {
		Bulkhead bulkhead = Bulkhead.of(NAME,
				BulkheadConfig.custom().maxConcurrentCalls(1).maxWaitDuration(Duration.ZERO).build());
		bulkhead.acquirePermission();
		GrpcError error = map(new BulkheadErrors(), bulkhead::acquirePermission);
		assertRejection(error, Status.Code.RESOURCE_EXHAUSTED, "BULKHEAD_FULL", Duration.ofSeconds(1));
		assertThat(Answers.details(error)).containsExactly("ErrorInfo", "RetryInfo", "QuotaFailure");
	}

	@Test
	void fullThreadPoolExhaustsAQuota() throws Exception {
		ThreadPoolBulkheadConfig config = ThreadPoolBulkheadConfig.custom()
			.coreThreadPoolSize(1)
			.maxThreadPoolSize(1)
			.queueCapacity(1)
			.build();
		ThreadPoolBulkhead bulkhead = ThreadPoolBulkhead.of(NAME, config);
		CountDownLatch end = new CountDownLatch(1);
		try {
			Runnable task = () -> awaitQuietly(end);
			bulkhead.executeRunnable(task);
			bulkhead.executeRunnable(task);
			assertRejection(map(new BulkheadErrors(), () -> bulkhead.executeRunnable(task)),
					Status.Code.RESOURCE_EXHAUSTED, "BULKHEAD_FULL", Duration.ofSeconds(1));
		}
		finally {
			end.countDown();
			bulkhead.close();
		}
	}

	@Test
	void rateLimiterTellsItsPeriod() {
		RateLimiterRegistry limiters = RateLimiterRegistry.of(limit(Duration.ofSeconds(33)));
		RateLimiter limiter = limiters.rateLimiter(NAME);
		limiter.acquirePermission();
		GrpcError error = map(new RateLimiterErrors(limiters::find), () -> RateLimiter.waitForPermission(limiter));
		assertRejection(error, Status.Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", Duration.ofSeconds(33));
		assertThat(Answers.details(error)).containsExactly("ErrorInfo", "RetryInfo", "QuotaFailure");
	}

	@Test
	void tinyPeriodsDoNotBringAllCallersBackAtOnce() {
		RateLimiterRegistry limiters = RateLimiterRegistry.of(limit(Duration.ofNanos(500)));
		Throwable thrown = RequestNotPermitted.createRequestNotPermitted(limiters.rateLimiter(NAME));
		assertRejection(Answers.map(new RateLimiterErrors(limiters::find), thrown), Status.Code.RESOURCE_EXHAUSTED,
				"RATE_LIMITED", Duration.ofMillis(100));
	}

	@Test
	void unregisteredRateLimiterIsWorthASecond() {
		RateLimiter limiter = RateLimiter.of(NAME, limit(Duration.ofSeconds(33)));
		limiter.acquirePermission();
		RateLimiterRegistry limiters = RateLimiterRegistry.ofDefaults();
		assertRejection(map(new RateLimiterErrors(limiters::find), () -> RateLimiter.waitForPermission(limiter)),
				Status.Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", Duration.ofSeconds(1));
		assertThat(limiters.getAllRateLimiters()).as("a look-up creates none").isEmpty();
	}

	private static RateLimiterConfig limit(Duration period) {
		return RateLimiterConfig.custom()
			.limitForPeriod(1)
			.limitRefreshPeriod(period)
			.timeoutDuration(Duration.ZERO)
			.build();
	}

	private static GrpcError map(BuiltInErrors errors, ThrowingCallable code) {
		return Answers.map(errors, catchThrowable(code));
	}

	private static void assertRejection(GrpcError error, Status.Code code, String reason, Duration wait) {
		assertThat(error.code()).isEqualTo(code);
		assertThat(Answers.sent(error).domain()).contains("resilience4j");
		assertThat(error.reason()).isEqualTo(reason);
		assertThat(Answers.sent(error).retryDelay()).contains(wait);
		assertThat(Answers.text(error)).doesNotContain("secret", "io.github", "CircuitBreaker");
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
