package io.github.grpcresilience.internal.event;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

import io.github.grpcresilience.event.AttemptEnd;

/**
 * Live counts of the attempts of one method of one client. Safe for concurrent use;
 * nothing is counted for a call whose first attempt is its last.
 */
public final class AttemptCounts {

	private final LongAdder further = new LongAdder();

	private final LongAdder rescued = new LongAdder();

	/** Never changed after construction, so it may be read without a lock. */
	private final Map<AttemptEnd, LongAdder> ends = new EnumMap<>(AttemptEnd.class);

	/**
	 * Starts at zero.
	 */
	public AttemptCounts() {
		for (AttemptEnd end : AttemptEnd.values()) {
			this.ends.put(end, new LongAdder());
		}
	}

	/**
	 * An attempt was made that was not its call's first.
	 */
	public void further() {
		this.further.increment();
	}

	/**
	 * An attempt that was not its call's first succeeded.
	 */
	public void rescued() {
		this.rescued.increment();
	}

	/**
	 * A failed call was not attempted again.
	 * @param end why
	 */
	public void ended(AttemptEnd end) {
		LongAdder adder = this.ends.get(end);
		if (adder != null) {
			adder.increment();
		}
	}

	/**
	 * Attempts beyond the first of each call; in mode {@code observe} those that would
	 * have been made.
	 * @return the number
	 */
	public long furtherAttempts() {
		return this.further.sum();
	}

	/**
	 * Calls that only succeeded because there was more than one attempt.
	 * @return the number
	 */
	public long rescuedCalls() {
		return this.rescued.sum();
	}

	/**
	 * Failed calls that were not attempted again, by cause.
	 * @return the causes that occurred
	 */
	public Map<AttemptEnd, Long> ends() {
		Map<AttemptEnd, Long> sums = new EnumMap<>(AttemptEnd.class);
		this.ends.forEach((end, adder) -> {
			if (adder.sum() > 0) {
				sums.put(end, adder.sum());
			}
		});
		return Collections.unmodifiableMap(sums);
	}

}
