package io.github.grpcresilience.cancel.context;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.micrometer.context.ContextExecutorService;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.TestCall;

import static org.assertj.core.api.Assertions.assertThat;

class GrpcContextAccessorTests {

	private final ContextSnapshotFactory snapshots = ContextSnapshotFactory.builder().clearMissing(true).build();

	@Test
	void registryFindsIt() {
		assertThat(ContextRegistry.getInstance().getThreadLocalAccessors())
			.hasAtLeastOneElementOfType(GrpcContextAccessor.class);
	}

	@Test
	void snapshotCarriesTheCallToAnotherThreadAndLeavesThatAsItWas() throws Exception {
		ExecutorService threads = Executors.newSingleThreadExecutor();
		try (TestCall call = TestCall.begin()) {
			ExecutorService carrying = ContextExecutorService.wrap(threads, this.snapshots::captureAll);
			assertThat(call.context().call(() -> carrying.submit(() -> TestCall.VALUE.get())).get(20, TimeUnit.SECONDS))
				.isEqualTo("of the call");
			assertThat(threads.submit(Context::current).get(20, TimeUnit.SECONDS)).isSameAs(Context.ROOT);
		}
		finally {
			threads.shutdownNow();
		}
	}

	@Test
	void thereIsNothingToCarryOutsideOfACall() {
		assertThat(new GrpcContextAccessor().getValue()).isNull();
	}

	@Test
	void snapshotOfNoCallHidesTheCurrentOneAndGivesItBack() throws Exception {
		ContextSnapshot outside = this.snapshots.captureAll();
		try (TestCall call = TestCall.begin()) {
			call.run(() -> {
				Context before = Context.current();
				try (ContextSnapshot.Scope scope = outside.setThreadLocals()) {
					assertThat(scope).isNotNull();
					assertThat(Context.current()).isSameAs(Context.ROOT);
				}
				assertThat(Context.current()).isSameAs(before);
			});
		}
	}

}
