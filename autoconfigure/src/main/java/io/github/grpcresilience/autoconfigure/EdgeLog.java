package io.github.grpcresilience.autoconfigure;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.policy.SettingKey;

/**
 * Writes what happens to HTTP requests into the log, whoever is told of what happens to
 * calls. Safe for concurrent use.
 */
final class EdgeLog {

	private static final Log logger = LogFactory.getLog(GrpcResilience.class);

	private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

	/** Paths hold numbers and names, so there is no end to them. */
	private static final int MOST_PATHS = 256;

	private static final int MAX_PATH = 256;

	/** Guarded by itself. */
	private final Map<String, Long> cutNanos = new LinkedHashMap<>() {

		@Override
		protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
			return size() > MOST_PATHS;
		}

	};

	/**
	 * A budget ended after the response had begun, so that nobody can be told any more.
	 */
	void cut(EdgeRequest request, EdgeBudget budget) {
		String name = name(request.method(), request.path());
		if (isDue(name)) {
			logger.warn("The budget of " + name + ", " + SettingKey.render(budget.duration()) + " from "
					+ budget.source() + ", ended in the middle of its response, which is cut off unless it needed"
					+ " nothing more; give it a longer one, or add its path to grpc.resilience.edge.exempt-paths"
					+ " (said once a minute)");
		}
	}

	private boolean isDue(String request) {
		long now = System.nanoTime();
		synchronized (this.cutNanos) {
			Long before = this.cutNanos.get(request);
			if (before != null && now - before < QUIET_NANOS) {
				return false;
			}
			this.cutNanos.put(request, now);
			return true;
		}
	}

	private static String name(String method, String path) {
		return method + " " + ((path.length() > MAX_PATH) ? path.substring(0, MAX_PATH) + "…" : path);
	}

}
