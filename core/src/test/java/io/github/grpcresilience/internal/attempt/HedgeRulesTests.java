package io.github.grpcresilience.internal.attempt;

import java.time.Duration;
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
import io.github.grpcresilience.internal.policy.AttemptPolicy.Hedge;
import io.github.grpcresilience.internal.status.PushBack;
import io.github.grpcresilience.policy.HedgeDelay;

import static io.github.grpcresilience.internal.attempt.Failures.MILLIS;
import static io.github.grpcresilience.internal.attempt.Failures.failed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

class HedgeRulesTests {

	private final HedgeRules rules = new HedgeRules(
			new Hedge(3, HedgeDelay.of(Duration.ofMillis(17)), Set.of(Status.Code.UNAVAILABLE)));

	private final Budget budget = new Budget(true);

	private final Budget spent = new Budget(false);

	/**
	 * What ends hedges, in the order in which it counts.
	 */
	private static List<Arguments> objections() {
		return List.of(objection(AttemptEnd.BUDGET, (failure) -> failure.stopped(AttemptEnd.BUDGET)),
				objection(AttemptEnd.CHANNEL, Failures::channelRepeats), objection(AttemptEnd.CHAIN, Failures::chained),
				objection(AttemptEnd.PUSH_BACK, (failure) -> failure.asked(PushBack.STOP)),
				objection(AttemptEnd.MAX_ATTEMPTS, (failure) -> failure.made(3)),
				objection(AttemptEnd.DEADLINE, (failure) -> failure.remaining(0)));
	}

	private static Arguments objection(AttemptEnd end, UnaryOperator<Failures> change) {
		return arguments(end, change);
	}

	@ParameterizedTest(name = "{0}")
	@MethodSource("objections")
	void eachObjectionAloneEndsHedgesAndTheCallWithItsLastAttempt(AttemptEnd end, UnaryOperator<Failures> objection) {
		Failures failed = objection.apply(failed());
		assertThat(this.rules.after(failed.inFlight(0).build(), this.budget)).isEqualTo(Verdict.end(end));
		assertThat(this.rules.after(failed.inFlight(1).build(), this.budget)).isEqualTo(Verdict.keepGoing(end));
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
			assertThat(this.rules.after(all.build(), this.spent).reason()).as("with all that follow").isEqualTo(row[0]);
		}
		assertThat(this.rules.after(all.refused().build(), this.spent).reason()).isEqualTo(AttemptEnd.CIRCUIT);
		assertThat(this.rules.after(all.code(Status.Code.INTERNAL).build(), this.spent)).isEqualTo(Verdict.END);
	}

	@ParameterizedTest
	@CsvSource({ "0", "2" })
	void fatalCodeEndsTheCallWhateverIsInFlight(int inFlight) {
		assertThat(this.rules.after(failed().code(Status.Code.INTERNAL).inFlight(inFlight).build(), this.budget))
			.isEqualTo(Verdict.END);
	}

	@Test
	void gateThatRefusesEndsTheCallOnlyWithItsLastAttempt() {
		assertThat(this.rules.after(failed().refused().build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.CIRCUIT));
		assertThat(this.rules.after(failed().refused().inFlight(1).build(), this.budget))
			.as("and hedges may come once it gives leave")
			.isEqualTo(Verdict.KEEP_GOING);
	}

	@Test
	void budgetIsAskedLastAndOnce() {
		assertThat(this.rules.after(failed().build(), this.spent)).isEqualTo(Verdict.end(AttemptEnd.BUDGET));
		assertThat(this.spent.asked()).isOne();
		assertThat(this.rules.after(failed().inFlight(1).build(), this.spent))
			.isEqualTo(Verdict.keepGoing(AttemptEnd.BUDGET));
	}

	@ParameterizedTest
	@CsvSource({ "0", "1" })
	void nextAttemptComesAtOnce(int inFlight) {
		assertThat(this.rules.after(failed().inFlight(inFlight).build(), this.budget)).isEqualTo(Verdict.again(0));
		assertThat(this.budget.asked()).isOne();
	}

	@Test
	void serverMayAskForAWait() {
		Failures asked = failed().asked(107 * MILLIS);
		assertThat(this.rules.after(asked.build(), this.budget)).isEqualTo(Verdict.again(107 * MILLIS));
		assertThat(this.rules.after(asked.inFlight(1).build(), this.budget))
			.isEqualTo(Verdict.hedgeLater(107 * MILLIS));
	}

	@Test
	void waitMustLeaveTime() {
		Failures asked = failed().asked(107 * MILLIS);
		assertThat(this.rules.after(asked.remaining(107 * MILLIS).build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.DEADLINE));
		assertThat(this.rules.after(asked.remaining(107 * MILLIS + 1).build(), this.budget))
			.isEqualTo(Verdict.again(107 * MILLIS));
	}

	@Test
	void callWithoutDeadlineWaitsForUpToAMinute() {
		assertThat(this.rules.after(failed().remaining(Long.MAX_VALUE).asked(60_000 * MILLIS).build(), this.budget))
			.isEqualTo(Verdict.end(AttemptEnd.DEADLINE));
	}

	@Test
	void slowAttemptIsHedgedUnlessTheChannelOrTheBudgetForbidIt() {
		assertThat(this.rules.whenSlow(true, this.budget)).isEqualTo(Verdict.keepGoing(AttemptEnd.CHANNEL));
		assertThat(this.budget.asked()).isZero();
		assertThat(this.rules.whenSlow(false, this.spent)).isEqualTo(Verdict.keepGoing(AttemptEnd.BUDGET));
		assertThat(this.rules.whenSlow(false, this.budget)).isEqualTo(Verdict.again(0));
	}

}
