package io.github.grpcresilience.internal.event;

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

	private final LongAdder started = new LongAdder();

	/** Never changed after construction, so it may be read without a lock. */
	private final Map<Status.Code, LongAdder> byCode = new EnumMap<>(Status.Code.class);

	/** Never changed after construction, so it may be read without a lock. */
	private final Map<Reason, LongAdder> byReason = new EnumMap<>(Reason.class);

	private final AtomicBoolean streamReported = new AtomicBoolean();

	/**
	 * Starts at zero.
	 */
	public CallCounts() {
		for (Status.Code code : Status.Code.values()) {
			this.byCode.put(code, new LongAdder());
		}
		for (Reason reason : Reason.values()) {
			this.byReason.put(reason, new LongAdder());
		}
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
		increment(this.byCode, code);
	}

	/**
	 * A call was ended or refused, or would have been in mode {@code observe}.
	 * @param reason why
	 */
	public void decided(Reason reason) {
		increment(this.byReason, reason);
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
		for (LongAdder adder : this.byCode.values()) {
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
		return sums(this.byCode, new EnumMap<>(Status.Code.class));
	}

	/**
	 * Decisions by reason.
	 * @return the reasons that occurred
	 */
	public Map<Reason, Long> byReason() {
		return sums(this.byReason, new EnumMap<>(Reason.class));
	}

	private static <K> void increment(Map<K, LongAdder> adders, K key) {
		LongAdder adder = adders.get(key);
		if (adder != null) {
			adder.increment();
		}
	}

	private static <K> Map<K, Long> sums(Map<K, LongAdder> adders, Map<K, Long> sums) {
		adders.forEach((key, adder) -> {
			if (adder.sum() > 0) {
				sums.put(key, adder.sum());
			}
		});
		return Collections.unmodifiableMap(sums);
	}

}
