package io.github.grpcresilience.internal.gate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Consumer;

import io.github.grpcresilience.internal.method.AttemptGate.Permit;

/**
 * A permit that is told each thing once, whoever comes first: calls are closed, fail to
 * start, or both. Safe for concurrent use.
 */
final class HeldPermit {

	private static final int OUTCOME = 1;

	private static final int END = 2;

	private static final VarHandle TOLD;

	static {
		try {
			TOLD = MethodHandles.lookup().findVarHandle(HeldPermit.class, "told", int.class);
		}
		catch (ReflectiveOperationException ex) {
			throw new ExceptionInInitializerError(ex);
		}
	}

	private final Permit permit;

	/** Bits; by {@link #TOLD}. */
	@SuppressWarnings("UnusedVariable") // by its handle
	private volatile int told;

	HeldPermit(Permit permit) {
		this.permit = permit;
	}

	/**
	 * Tells the outcome, if nobody has.
	 */
	void tell(Consumer<Permit> outcome) {
		if (isFirst(OUTCOME)) {
			outcome.accept(this.permit);
		}
	}

	/**
	 * Tells the outcome, if nobody has, and that the attempt has ended.
	 */
	void end(Consumer<Permit> outcome) {
		try {
			tell(outcome);
		}
		finally {
			if (isFirst(END)) {
				this.permit.ended();
			}
		}
	}

	private boolean isFirst(int bit) {
		return ((int) TOLD.getAndBitwiseOr(this, bit) & bit) == 0;
	}

	/**
	 * The attempt was not made.
	 */
	void giveBack() {
		end(Permit::unknown);
	}

}
