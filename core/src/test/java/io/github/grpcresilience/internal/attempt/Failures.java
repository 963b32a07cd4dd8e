package io.github.grpcresilience.internal.attempt;

import java.util.function.BooleanSupplier;

import io.grpc.Status;

import io.github.grpcresilience.event.AttemptEnd;

/**
 * A first attempt that ended {@code UNAVAILABLE} with nothing against another one; a test
 * changes what it is about.
 */
final class Failures {

	static final long MILLIS = 1_000_000;

	private Status.Code code = Status.Code.UNAVAILABLE;

	private boolean timedOut;

	private boolean unsent;

	private long askedNanos;

	private boolean circuitOpen;

	private boolean refused;

	private int made = 1;

	private int inFlight;

	private boolean channelRepeats;

	private boolean chained;

	private AttemptEnd stopped;

	private long remainingNanos = 10_007 * MILLIS;

	private double random = 0.5;

	static Failures failed() {
		return new Failures();
	}

	Failures code(Status.Code code) {
		this.code = code;
		return this;
	}

	Failures timedOut() {
		this.timedOut = true;
		return code(Status.Code.DEADLINE_EXCEEDED);
	}

	Failures unsent() {
		this.unsent = true;
		return this;
	}

	Failures asked(long nanos) {
		this.askedNanos = nanos;
		return this;
	}

	Failures circuitOpen() {
		this.circuitOpen = true;
		return this;
	}

	Failures refused() {
		this.refused = true;
		return this;
	}

	Failures made(int attempts) {
		this.made = attempts;
		return this;
	}

	Failures inFlight(int attempts) {
		this.inFlight = attempts;
		return this;
	}

	Failures channelRepeats() {
		this.channelRepeats = true;
		return this;
	}

	Failures chained() {
		this.chained = true;
		return this;
	}

	Failures stopped(AttemptEnd end) {
		this.stopped = end;
		return this;
	}

	Failures remaining(long nanos) {
		this.remainingNanos = nanos;
		return this;
	}

	Failures random(double random) {
		this.random = random;
		return this;
	}

	FailedAttempt build() {
		return new FailedAttempt(this.code, this.timedOut, this.unsent, this.askedNanos, this.circuitOpen, this.refused,
				this.made, this.inFlight, this.channelRepeats, this.chained, this.stopped, this.remainingNanos,
				this.random);
	}

	/** Has attempts, or has none; knows whether it was asked. */
	static final class Budget implements BooleanSupplier {

		private final boolean left;

		private int asked;

		Budget(boolean left) {
			this.left = left;
		}

		@Override
		public boolean getAsBoolean() {
			this.asked++;
			return this.left;
		}

		int asked() {
			return this.asked;
		}

	}

}
