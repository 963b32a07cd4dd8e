package io.github.grpcresilience.event;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

import io.grpc.Status;

import io.github.grpcresilience.status.Reason;

/**
 * Live counts of the calls of one method on one side. Safe for concurrent use, without
 * contention between calls; a read is exact once no call is starting or ending.
 */
public final class CallCounts {

	private static final Status.Code[] CODES = Status.Code.values();

	private static final Reason[] REASONS = Reason.values();

	private final LongAdder started = new LongAdder();

	private final LongAdder[] byCode = adders(CODES.length);

	private final LongAdder[] byReason = adders(REASONS.length);

	private final AtomicBoolean streamReported = new AtomicBoolean();

	private static LongAdder[] adders(int length) {
		LongAdder[] adders = new LongAdder[length];
		for (int i = 0; i < length; i++) {
			adders[i] = new LongAdder();
		}
		return adders;
	}

	/**
	 * A call started.
	 */
	public void started() {
		this.started.increment();
	}

	/**
	 * A call that had started ended.
	 * @param code how it ended
	 */
	public void ended(Status.Code code) {
		this.byCode[code.ordinal()].increment();
	}

	/**
	 * A call was ended or refused, or would have been in mode {@code observe}.
	 * @param reason why
	 */
	public void decided(Reason reason) {
		this.byReason[reason.ordinal()].increment();
	}

	/**
	 * Whether a stream of the method ran without a deadline for the first time.
	 * @return {@code true} once
	 */
	public boolean isFirstStreamWithoutDeadline() {
		return !this.streamReported.get() && this.streamReported.compareAndSet(false, true);
	}

	/**
	 * Whether a stream of the method ran without a deadline.
	 * @return {@code true} from the first such stream on
	 */
	public boolean hasStreamWithoutDeadline() {
		return this.streamReported.get();
	}

	/**
	 * Calls that have started and not ended.
	 * @return the number
	 */
	public long inFlight() {
		long ended = 0;
		for (LongAdder adder : this.byCode) {
			ended += adder.sum();
		}
		// Ends are read first, so a call that ends meanwhile is still counted.
		return Math.max(0, this.started.sum() - ended);
	}

	/**
	 * Ended calls by status code.
	 * @return the codes that occurred
	 */
	public Map<Status.Code, Long> byCode() {
		return counts(new EnumMap<>(Status.Code.class), CODES, this.byCode);
	}

	/**
	 * Decisions by reason.
	 * @return the reasons that occurred
	 */
	public Map<Reason, Long> byReason() {
		return counts(new EnumMap<>(Reason.class), REASONS, this.byReason);
	}

	private static <K> Map<K, Long> counts(Map<K, Long> counts, K[] keys, LongAdder[] adders) {
		for (int i = 0; i < keys.length; i++) {
			long sum = adders[i].sum();
			if (sum > 0) {
				counts.put(keys[i], sum);
			}
		}
		return Collections.unmodifiableMap(counts);
	}

}
