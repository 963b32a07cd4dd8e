package io.github.grpcresilience.event;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Live counts of work that stopped because its call was abandoned. Safe for concurrent
 * use, without contention between calls.
 */
public final class WorkCounts {

	/** Never changed after construction, so it may be read without a lock. */
	private final Map<Work, Adders> adders = new EnumMap<>(Work.class);

	private final LongAdder lateCommits = new LongAdder();

	private final LongAdder refusedCommits = new LongAdder();

	/**
	 * Starts at zero.
	 */
	public WorkCounts() {
		for (Work work : Work.values()) {
			this.adders.put(work, new Adders(new LongAdder(), new LongAdder(), new LongAdder()));
		}
	}

	/**
	 * Work did not begin, because its call was abandoned before.
	 * @param work kind of the work
	 */
	public void refused(Work work) {
		of(work).refused.increment();
	}

	/**
	 * Running work was told to stop.
	 * @param work kind of the work
	 */
	public void cancelled(Work work) {
		of(work).cancelled.increment();
	}

	/**
	 * Work did not stop when told to, so what it used was closed underneath it.
	 * @param work kind of the work
	 */
	public void aborted(Work work) {
		of(work).aborted.increment();
	}

	/**
	 * A transaction was to be committed after the end of its call.
	 * @param refused whether it was rolled back instead
	 */
	public void committed(boolean refused) {
		(refused ? this.refusedCommits : this.lateCommits).increment();
	}

	/**
	 * Commits of this moment.
	 * @return the counts
	 */
	public Commits commits() {
		return new Commits(this.lateCommits.sum(), this.refusedCommits.sum());
	}

	/**
	 * The counts of this moment.
	 * @param work kind of the work
	 * @return its counts
	 */
	public Sums sums(Work work) {
		Adders adders = of(work);
		return new Sums(adders.refused.sum(), adders.cancelled.sum(), adders.aborted.sum());
	}

	private Adders of(Work work) {
		Adders found = this.adders.get(work);
		if (found == null) {
			throw new IllegalStateException("no counts of " + work);
		}
		return found;
	}

	private record Adders(LongAdder refused, LongAdder cancelled, LongAdder aborted) {
	}

	/**
	 * Counts of transactions. Immutable.
	 *
	 * @param late committed after the end of their call
	 * @param refused rolled back in place of their commit
	 */
	public record Commits(long late, long refused) {
	}

	/**
	 * Counts of one kind of work. Immutable.
	 *
	 * @param refused work that did not begin
	 * @param cancelled work that was told to stop
	 * @param aborted work whose connection was closed, because it did not stop
	 */
	public record Sums(long refused, long cancelled, long aborted) {
	}

}
