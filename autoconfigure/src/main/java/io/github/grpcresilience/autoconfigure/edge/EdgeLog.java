package io.github.grpcresilience.autoconfigure.edge;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import io.grpc.Status;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.internal.method.ReceivedFailure;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.internal.status.Causes;

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

	private static final int MAX_TEXT = 512;

	private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\u2028\\u2029]+");

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
			logger.warn("The budget of " + name + ", " + SettingText.of(budget.duration()) + " from " + budget.source()
					+ ", ended in the middle of its response, which is cut off unless it needed"
					+ " nothing more; give it a longer one, or add its path to grpc.resilience.edge.exempt-paths"
					+ " (said once a minute)");
		}
	}

	/**
	 * A request was answered with a status of 500 or more.
	 */
	void failed(String method, String path, EdgeError error, Throwable thrown) {
		Throwable failure = Causes.findStatus(thrown);
		Throwable told = (failure != null) ? failure : thrown;
		String text = name(method, path) + " was answered " + error.status() + ": " + error.code() + called(told)
				+ ", id " + error.requestId() + ": " + line(told)
				+ (logger.isDebugEnabled() ? "" : "; at DEBUG this logger adds the stack trace");
		if (logger.isDebugEnabled()) {
			logger.error(text, thrown);
		}
		else {
			logger.error(text);
		}
	}

	private static String called(Throwable failure) {
		Status status = Causes.statusOf(failure);
		ReceivedFailure received = (status != null) ? ReceivedFailure.find(status) : null;
		return (received != null) ? " from " + received.method().name() : "";
	}

	/**
	 * Servers write what they like into their messages.
	 */
	private static String line(Throwable thrown) {
		String text;
		try {
			text = thrown.toString();
		}
		catch (RuntimeException ex) {
			text = thrown.getClass().getName(); // a broken exception says no more
		}
		return CONTROL.matcher((text.length() > MAX_TEXT) ? text.substring(0, MAX_TEXT) + "…" : text).replaceAll(" ");
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
