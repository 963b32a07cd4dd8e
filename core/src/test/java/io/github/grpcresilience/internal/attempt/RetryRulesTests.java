package io.github.grpcresilience.internal.attempt;

import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.internal.attempt.Failures.Budget;
import io.github.grpcresilience.internal.policy.AttemptPolicy;
import io.github.grpcresilience.internal.policy.AttemptPolicy.Retry;
import io.github.grpcresilience.internal.status.PushBack;

import static io.github.grpcresilience.internal.attempt.Failures.MILLIS;
import static io.github.grpcresilience.internal.attempt.Failures.failed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

class RetryRulesTests {

	private static final Retry POLICY = new Retry(3, Set.of(Status.Code.UNAVAILABLE), 70 * MILLIS, 190 * MILLIS, 2, 0.2,
			AttemptPolicy.NO_TIMEOUT);

	private final AttemptRules rules = AttemptRules.of(POLICY);

	private final Budget budget = new Budget(true);

	private final Budget spent = new Budget(false);

	/**
	 * What speaks against another attempt, in the order in which it counts.
	 */
	private static List<Arguments> objections() {
		return List.of(objection(Verdict.END, (failure) -> failure.code(Status.Code.INTERNAL)),
				objection(Verdict.END, (failure) -> failure.remaining(0)),
				objection(Verdict.end(AttemptEnd.CHANNEL), Failures::channelRepeats),
				objection(Verdict.end(AttemptEnd.CHAIN), Failures::chained),
				objection(Verdict.end(AttemptEnd.PUSH_BACK), (failure) -> failure.asked(PushBack.STOP)),
				objection(Verdict.end(AttemptEnd.MAX_ATTEMPTS), (failure) -> failure.made(3)),
				objection(Verdict.end(AttemptEnd.CIRCUIT), (failure) -> failure.circuitOpen().remaining(7 * MILLIS)),
				objection(Verdict.end(AttemptEnd.DEADLINE), (failure) -> failure.remaining(7 * MILLIS)));
	}

	private static Arguments objection(Verdict verdict, UnaryOperator<Failures> change) {
		return arguments(verdict, change);
	}

	@ParameterizedTest(name = "{0}")
	@MethodSource("objections")
	void eachObjectionAloneEndsTheCall(Verdict verdict, UnaryOperator<Failures> objection) {
		assertThat(this.rules.after(objection.apply(failed()).build(), this.budget)).isEqualTo(verdict);
		assertThat(this.budget.asked()).as("the budget is kept for attempts that can be made").isZero();
	}

	@Test
	void objectionsCountInTheirOrder() {
		List<Arguments> objections = objections();
		Failures all = failed();
		for (int i = objections.size() - 1; i >= 0; i--) {
			Object[] row = objections.get(i).get();
			@SuppressWarnings("unchecked")
			UnaryOperator<Failures> objection = (UnaryOperator<Failures>) row[1];
			all = objection.apply(all);
			assertThat(this.rules.after(all.build(), this.spent)).as("with all that follow").isEqualTo(row[0]);
		}
	}

	@Test
	void budgetIsAskedLastAndOnce() {
		assertThat(this.rules.after(failed().build(), this.spent)).isEqualTo(Verdict.end(AttemptEnd.BUDGET));
		assertThat(this.spent.asked()).isOne();
		assertThat(this.rules.after(failed().build(), this.budget)).isEqualTo(Verdict.again(70 * MILLIS));
		assertThat(this.budget.asked()).isOne();
	}

	@Test
	void timeoutOfAnAttemptIsRepeatedWhateverTheCodes() {
		assertThat(this.rules.after(failed().timedOut().build(), this.budget).kind()).isEqualTo(Verdict.Kind.AGAIN);
		assertThat(this.rules.after(failed().code(Status.Code.DEADLINE_EXCEEDED).build(), this.budget))
			.isEqualTo(Verdict.END);
	}

	@ParameterizedTest(name = "{0} made, random {1}, {2} ms asked: {3} ms")
	@CsvSource({ "1, 0.5, 0, 70", "2, 0.5, 0, 140", "1, 0.0, 0, 56", "1, 1.0, 0, 84", "2, 1.0, 0, 168",
			"1, 0.5, 69, 70", "1, 0.5, 71, 71", "2, 1.0, 900, 900" })
	void waitsForTheBackoffOrWhatTheServerAsks(int made, double random, long asked, long millis) {
		FailedAttempt failed = failed().made(made).random(random).asked(asked * MILLIS).build();
		assertThat(this.rules.after(failed, this.budget)).isEqualTo(Verdict.again(millis * MILLIS));
	}

	@Test
	void backoffGrowsToItsMax() {
		AttemptRules patient = AttemptRules
			.of(new Retry(9, Set.of(Status.Code.UNAVAILABLE), 70 * MILLIS, 190 * MILLIS, 2, 0.2, 31 * MILLIS));
		assertThat(patient.after(failed().made(7).build(), this.budget)).isEqualTo(Verdict.again(190 * MILLIS));
	}

	@Test
	void waitMustLeaveTime() {
		assertThat(this.rules.after(failed().remaining(70 * MILLIS).build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.DEADLINE));
		assertThat(this.rules.after(failed().remaining(70 * MILLIS + 1).build(), this.budget))
			.isEqualTo(Verdict.again(70 * MILLIS));
	}

	@Test
	void callWithoutDeadlineWaitsForUpToAMinute() {
		Failures endless = failed().remaining(Long.MAX_VALUE);
		assertThat(this.rules.after(endless.asked(59_999 * MILLIS).build(), this.budget))
			.isEqualTo(Verdict.again(59_999 * MILLIS));
		assertThat(this.rules.after(endless.asked(60_000 * MILLIS).build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.DEADLINE));
	}

	@Test
	void waitIsNeverNothing() {
		AttemptRules hasty = AttemptRules.of(new Retry(3, Set.of(Status.Code.UNAVAILABLE), 1, 1, 1, 1, 31 * MILLIS));
		assertThat(hasty.after(failed().random(0).build(), this.budget)).isEqualTo(Verdict.again(1));
	}

	@Test
	void oneAttemptEndsWithoutAReason() {
		AttemptRules once = AttemptRules
			.of(new Retry(1, Set.of(Status.Code.UNAVAILABLE), 70 * MILLIS, 190 * MILLIS, 2, 0.2, 31 * MILLIS));
		assertThat(once.after(failed().build(), this.budget)).isEqualTo(Verdict.END);
		assertThat(once.after(failed().timedOut().build(), this.budget)).isEqualTo(Verdict.END);
	}

	@ParameterizedTest
	@CsvSource({ "MAX_ATTEMPTS, true", "BUDGET, true", "PUSH_BACK, true", "CHAIN, true", "CHANNEL, true",
			"CIRCUIT, false", "DEADLINE, false" })
	void endsAreMarkedUnlessOnlyTimeOrGateWereAgainstIt(AttemptEnd end, boolean marked) {
		assertThat(Verdict.end(end).marks()).isEqualTo(marked);
		assertThat(Verdict.END.marks()).isFalse();
		assertThat(Verdict.keepGoing(end).marks()).isFalse();
	}

	@Test
	void thereAreNoRulesForOneAttempt() {
		assertThatThrownBy(() -> AttemptRules.of(AttemptPolicy.ONCE)).isInstanceOf(IllegalArgumentException.class);
	}

	@Test
	void whatNoServerHasSeenTakesNothingAndDoesNotCount() {
		assertThat(this.rules.after(failed().unsent().made(3).build(), this.budget).kind())
			.isEqualTo(Verdict.Kind.AGAIN);
		assertThat(this.rules.after(failed().unsent().made(4).build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.MAX_ATTEMPTS));
		assertThat(this.rules.after(failed().unsent().chained().build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.CHAIN));
	}

}
