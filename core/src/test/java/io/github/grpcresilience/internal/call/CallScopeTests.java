package io.github.grpcresilience.internal.call;

import io.grpc.Context;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;

class CallScopeTests {

	private final TestCall call = TestCall.begin();

	@AfterEach
	void threadIsLeftAsItWasFound() {
		assertThat(CallScope.entered()).isNull();
	}

	@Test
	void workBelongsToTheCallWhileTheScopeIsEntered() {
		assertThat(CallScope.current()).isNull();
		this.call.scope().run(() -> {
			assertThat(CallScope.current()).isSameAs(this.call.scope());
			TestCall inner = TestCall.begin();
			inner.scope().run(() -> assertThat(CallScope.current()).isSameAs(inner.scope()));
			assertThat(CallScope.current()).isSameAs(this.call.scope());
		});
	}

	@Test
	void nothingIsLeftAfterTheAnswer() {
		this.call.scope().run(() -> {
			this.call.answer();
			assertThat(CallScope.current()).isNull();
			assertThat(CallScope.isNobody()).isFalse();
		});
	}

	@Test
	void workGoesOnBelongingToACallThatHasEnded() {
		this.call.scope().run(() -> {
			this.call.abandon();
			assertThat(CallScope.current()).isSameAs(this.call.scope());
		});
	}

	@Test
	void workOfNobodySeesNoCall() {
		this.call.scope().run(() -> CallScope.nobody().run(() -> {
			assertThat(CallScope.current()).isNull();
			assertThat(CallScope.isNobody()).isTrue();
		}));
	}

	/** So it travels with nobody's Context to threads that nobody gave it to. */
	@Test
	void contextOfGrpcHoldsNoScope() throws Exception {
		Context context = this.call.call(Context::current);
		context.run(() -> assertThat(CallScope.current()).isNull());
	}

	@Test
	void piecesOfWorkHaveGracesOfTheirOwn() {
		CallScope task = CallScope.ofTask(this.call.record());
		assertThat(task.grace(Work.STATEMENT)).isSameAs(task.grace(Work.STATEMENT))
			.isNotSameAs(task.grace(Work.HTTP_EXCHANGE))
			.isNotSameAs(this.call.scope().grace(Work.STATEMENT));
	}

	@Test
	void whatIsCarriedAwayIsOfTheSameCall() {
		CallScope carried = this.call.scope().carriedAway();
		assertThat(carried.isOf(this.call.record())).isTrue();
		assertThat(carried.isCarried()).isTrue();
		assertThat(carried.isHandler()).isFalse();
		assertThat(carried.carriedAway()).isSameAs(carried);
	}

}
