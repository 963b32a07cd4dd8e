package io.github.grpcresilience.benchmarks.pair;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;

import com.sun.management.ThreadMXBean;

/**
 * CPU time and allocated bytes of all Java threads: callers, handlers, timers, event
 * loops. Not of the process, whose CPU time would add the compiler and the collector,
 * which work when it suits them and not in the batch that caused it. What garbage costs
 * is seen in the bytes instead.
 */
final class Meter {

	private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

	/** Reads the counters; a thread that ends before the next reading is lost. */
	Reading read() {
		long[] ids = this.threads.getAllThreadIds();
		return new Reading(ids, this.threads.getThreadCpuTime(ids), this.threads.getThreadAllocatedBytes(ids));
	}

	/**
	 * What threads have used since they started.
	 */
	static final class Reading {

		private final long[] ids;

		private final long[] cpuNanos;

		private final long[] bytes;

		private Reading(long[] ids, long[] cpuNanos, long[] bytes) {
			this.ids = ids;
			this.cpuNanos = cpuNanos;
			this.bytes = bytes;
		}

		Usage since(Reading before) {
			Map<Long, Integer> index = new HashMap<>();
			for (int i = 0; i < before.ids.length; i++) {
				index.put(before.ids[i], i);
			}
			long nanos = 0;
			long allocated = 0;
			for (int i = 0; i < this.ids.length; i++) {
				Integer known = index.get(this.ids[i]);
				nanos += this.cpuNanos[i] - ((known != null) ? before.cpuNanos[known] : 0);
				allocated += this.bytes[i] - ((known != null) ? before.bytes[known] : 0);
			}
			return new Usage(nanos, allocated);
		}

	}

	/**
	 * What a batch used.
	 *
	 * @param cpuNanos CPU time in nanoseconds
	 * @param bytes allocated bytes
	 */
	record Usage(double cpuNanos, double bytes) {

		Usage perCall(int calls) {
			return new Usage(this.cpuNanos / calls, this.bytes / calls);
		}

	}

}
