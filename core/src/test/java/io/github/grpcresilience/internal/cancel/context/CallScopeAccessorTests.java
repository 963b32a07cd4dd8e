package io.github.grpcresilience.internal.cancel.context;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import io.micrometer.context.ContextExecutorService;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.internal.call.CallScope;

import static org.assertj.core.api.Assertions.assertThat;

class CallScopeAccessorTests {

	private final ContextSnapshotFactory snapshots = ContextSnapshotFactory.builder().clearMissing(true).build();

	@Test
	void registryFindsIt() {
		assertThat(ContextRegistry.getInstance().getThreadLocalAccessors())
			.hasAtLeastOneElementOfType(CallScopeAccessor.class);
	}

	@Test
	void snapshotCarriesTheCallToAnotherThreadAndLeavesThatAsItWas() throws Exception {
		ExecutorService threads = Executors.newSingleThreadExecutor();
		try (TestCall call = TestCall.begin()) {
			ExecutorService carrying = ContextExecutorService.wrap(threads, this.snapshots::captureAll);
			CallScope carried = call.call(() -> carrying.submit(CallScope::current)).get(20, TimeUnit.SECONDS);
			assertThat(carried.isOf(call.record())).isTrue();
			assertThat(carried.isCarried()).isTrue();
			assertThat(threads.submit(CallScope::entered).get(20, TimeUnit.SECONDS)).isNull();
		}
		finally {
			threads.shutdownNow();
		}
	}

	@Test
	void thereIsNothingToCarryOutsideOfACall() {
		assertThat(new CallScopeAccessor().getValue()).isNull();
	}

	@Test
	void handlerStaysItselfOnItsOwnThread() {
		try (TestCall call = TestCall.begin()) {
			call.run(() -> {
				ContextSnapshot own = this.snapshots.captureAll();
				try (ContextSnapshot.Scope scope = own.setThreadLocals()) {
					assertThat(scope).isNotNull();
					assertThat(CallScope.entered()).isSameAs(call.scope());
				}
				assertThat(CallScope.entered()).isSameAs(call.scope());
			});
		}
	}

	@Test
	void answeredCallIsNotCarried() {
		TestCall call = TestCall.begin();
		call.run(() -> {
			call.answer();
			assertThat(new CallScopeAccessor().getValue()).isNull();
		});
	}

	@Test
	void snapshotOfNoCallHidesTheCurrentOneAndGivesItBack() throws Exception {
		ContextSnapshot outside = this.snapshots.captureAll();
		try (TestCall call = TestCall.begin()) {
			call.run(() -> {
				try (ContextSnapshot.Scope scope = outside.setThreadLocals()) {
					assertThat(scope).isNotNull();
					assertThat(CallScope.entered()).isNull();
				}
				assertThat(CallScope.entered()).isSameAs(call.scope());
			});
		}
	}

}
