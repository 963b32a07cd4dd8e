package io.github.grpcresilience.internal.admission;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.grpc.Status;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.admission.AdaptiveLimit;
import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;
import io.github.grpcresilience.internal.admission.Gate.Scope;
import io.github.grpcresilience.internal.admission.MethodAdmission.Refusal;
import io.github.grpcresilience.internal.policy.AdmissionPolicy;
import io.github.grpcresilience.internal.status.RetryDelay;
import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;

class MethodAdmissionTests {

	private static final AdmissionPolicy OFF = new AdmissionPolicy(AdmissionPolicy.UNLIMITED, false,
			AdmissionPolicy.UNLIMITED_RATE);

	private final FakeTime time = new FakeTime(7);

	private final TestLimit adaptive = new TestLimit();

	@Test
	void refusedByTheServerTakesNothingFromTheMethod() {
		Limits method = limits(new AdmissionPolicy(3, false, 5), Scope.METHOD);
		Limits total = limits(new AdmissionPolicy(1, false, AdmissionPolicy.UNLIMITED_RATE), Scope.SERVER);
		MethodAdmission admission = new MethodAdmission(method, Limits.gates(method, total, true));
		assertThat(admission.enter()).isNull();
		for (int i = 0; i < 9; i++) {
			assertThat(admission.enter()).extracting((refusal) -> refusal.gate().scope()).isEqualTo(Scope.SERVER);
		}
		assertThat(admission.usage()).isEqualTo(new AdmissionUsage(new Use(1, 3), null));
		admission.leave(Outcome.SERVED, 1);
		assertThat(total.usage()).isEqualTo(new AdmissionUsage(new Use(0, 1), null));
	}

	@Test
	void refusedByTheRateHoldsNoPermitAndNoOtherRate() {
		Limits method = limits(new AdmissionPolicy(9, false, 7), Scope.METHOD);
		Limits total = limits(new AdmissionPolicy(9, false, 2), Scope.SERVER);
		MethodAdmission admission = new MethodAdmission(method, Limits.gates(method, total, true));
		for (int i = 0; i < 2; i++) {
			assertThat(admission.enter()).isNull();
			admission.leave(Outcome.SERVED, 1);
		}
		Refusal refusal = admission.enter();
		assertThat(refusal).isNotNull();
		assertThat(refusal.gate().reason()).isEqualTo(Reason.RATE_LIMIT);
		assertThat(refusal.waitNanos()).isEqualTo(Duration.ofMillis(500).toNanos());
		assertThat(admission.usage()).isEqualTo(new AdmissionUsage(new Use(0, 9), null));
		for (int i = 0; i < 5; i++) {
			this.time.pass(Duration.ofMillis(500));
			assertThat(admission.enter()).isNull();
			admission.leave(Outcome.SERVED, 1);
		}
	}

	@Test
	void neverMoreAtOnceThanTheLimitWhateverTheThreads() throws Exception {
		Limits method = limits(new AdmissionPolicy(5, false, AdmissionPolicy.UNLIMITED_RATE), Scope.METHOD);
		Limits total = limits(new AdmissionPolicy(3, false, AdmissionPolicy.UNLIMITED_RATE), Scope.SERVER);
		MethodAdmission admission = new MethodAdmission(method, Limits.gates(method, total, true));
		AtomicInteger inside = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		ExecutorService threads = Executors.newFixedThreadPool(8);
		try {
			List<Callable<Integer>> tasks = IntStream.range(0, 8).<Callable<Integer>>mapToObj((thread) -> () -> {
				int in = 0;
				for (int i = 0; i < 20_000; i++) {
					if (admission.enter() == null) {
						in++;
						most.accumulateAndGet(inside.incrementAndGet(), Math::max);
						inside.decrementAndGet();
						admission.leave(Outcome.SERVED, 1);
					}
				}
				return in;
			}).toList();
			int in = 0;
			for (Future<Integer> entered : threads.invokeAll(tasks)) {
				in += entered.get();
			}
			assertThat(in).isPositive();
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(most).hasValueBetween(1, 3);
		assertThat(admission.usage()).isEqualTo(new AdmissionUsage(new Use(0, 5), null));
		assertThat(total.usage()).isEqualTo(new AdmissionUsage(new Use(0, 3), null));
	}

	@Test
	void adaptiveLimitIsForUnaryCallsOnly() {
		Limits total = limits(new AdmissionPolicy(4, true, AdmissionPolicy.UNLIMITED_RATE), Scope.SERVER);
		Limits none = limits(OFF, Scope.METHOD);
		MethodAdmission unary = new MethodAdmission(none, Limits.gates(none, total, true));
		MethodAdmission stream = new MethodAdmission(none, Limits.gates(none, total, false));
		assertThat(this.adaptive.ceiling).isEqualTo(4);
		assertThat(stream.enter()).isNull();
		assertThat(unary.enter()).isNull();
		assertThat(unary.enter()).isNull();
		assertThat(unary.enter()).as("above the adaptive limit").isNotNull();
		assertThat(stream.enter()).isNull();
		assertThat(stream.enter()).as("above the number that somebody wrote").isNotNull();
		assertThat(total.usage()).isEqualTo(new AdmissionUsage(new Use(4, 4), new Use(2, 2)));
		stream.leave(Outcome.SERVED, 3_600_000_000_000L);
		assertThat(this.adaptive.samples).as("samples of streams").isZero();
		unary.leave(Outcome.UNKNOWN, 33);
		assertThat(this.adaptive.samples).isZero();
		unary.leave(Outcome.OVERLOADED, 7);
		assertThat(this.adaptive.samples).isOne();
		assertThat(this.adaptive.overloaded).isTrue();
		assertThat(this.adaptive.tookNanos).isEqualTo(7);
		assertThat(total.usage()).isEqualTo(new AdmissionUsage(new Use(1, 4), new Use(0, 2)));
	}

	@Test
	void endOfACallSaysHowBusyTheServerIs() {
		assertThat(Outcome.of(Status.Code.OK, true)).isEqualTo(Outcome.SERVED);
		assertThat(Outcome.of(Status.Code.NOT_FOUND, false)).isEqualTo(Outcome.SERVED);
		assertThat(Outcome.of(Status.Code.INTERNAL, false)).isEqualTo(Outcome.SERVED);
		assertThat(Outcome.of(Status.Code.DEADLINE_EXCEEDED, false)).isEqualTo(Outcome.OVERLOADED);
		assertThat(Outcome.of(Status.Code.RESOURCE_EXHAUSTED, false)).isEqualTo(Outcome.OVERLOADED);
		assertThat(Outcome.of(Status.Code.CANCELLED, true)).isEqualTo(Outcome.OVERLOADED);
		assertThat(Outcome.of(Status.Code.CANCELLED, false)).isEqualTo(Outcome.UNKNOWN);
		assertThat(Outcome.of(Status.Code.UNAVAILABLE, false)).isEqualTo(Outcome.UNKNOWN);
	}

	@Test
	void callersAreToldToComeBackAtDifferentTimes() {
		assertThat(new RetryDelay(() -> 0).ofNanos(0)).isEqualTo(Duration.ofMillis(100).toNanos());
		assertThat(new RetryDelay(() -> 0.5).ofNanos(33)).isEqualTo(Duration.ofMillis(150).toNanos());
		assertThat(new RetryDelay(() -> 0.25).ofNanos(Duration.ofMillis(1040).toNanos()))
			.isEqualTo(Duration.ofMillis(1300).toNanos());
	}

	private Limits limits(AdmissionPolicy policy, Scope scope) {
		return Limits.of(policy, scope, this.adaptive, this.time);
	}

	private static final class TestLimit implements AdaptiveLimits, AdaptiveLimit {

		private int ceiling;

		private int samples;

		private long tookNanos;

		private boolean overloaded;

		@Override
		public AdaptiveLimit create(int ceiling) {
			this.ceiling = ceiling;
			return this;
		}

		@Override
		public int limit() {
			return 2;
		}

		@Override
		public void ended(long tookNanos, int inUse, boolean overloaded) {
			this.samples++;
			this.tookNanos = tookNanos;
			this.overloaded = overloaded;
		}

	}

}
