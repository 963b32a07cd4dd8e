package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.event.ResilienceEvent.StreamWithoutDeadline;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.policy.Side;
import io.github.grpcresilience.status.Reason;

/**
 * Writes the log: one line at start, and a warning where somebody must act, at most once
 * a minute for each cause. Safe for concurrent use.
 */
final class GrpcResilienceReporter implements EventSink {

	private static final Log logger = LogFactory.getLog(GrpcResilience.class);

	private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

	/** Causes are methods, so their number is bounded. */
	private final ConcurrentMap<String, Long> warnedNanos = new ConcurrentHashMap<>();

	void started(GrpcResilience resilience) {
		logger.info("gRPC Resilience is on, mode " + SettingKey.render(resilience.mode()) + ", "
				+ resilience.servedMethods().size() + " methods served"
				+ ((resilience.mode() == Mode.OBSERVE) ? "; calls are counted and left as they are" : ""));
		resilience.findings()
			.forEach((finding) -> logger
				.warn(finding.id() + " " + finding.subject() + ": " + finding.message() + "; " + finding.remedy()));
	}

	@Override
	public void accept(ResilienceEvent event) {
		if (event instanceof StreamWithoutDeadline) {
			logger.warn("Stream " + subject(event) + " runs without any deadline; set deadline.default in a policy"
					+ " that names it");
		}
		else if (event instanceof CallEnded ended) {
			if (ended.reason() == Reason.DEADLINE_REQUIRED) {
				warnSometimes(ended);
			}
			else if (logger.isDebugEnabled()) {
				logger.debug(subject(ended) + " ended: " + ended.reason() + (ended.enforced() ? "" : " (observed)"));
			}
		}
	}

	private void warnSometimes(CallEnded ended) {
		String subject = subject(ended);
		long now = System.nanoTime();
		Long before = this.warnedNanos.get(subject);
		if (before != null && now - before < QUIET_NANOS) {
			return;
		}
		this.warnedNanos.put(subject, now);
		logger.warn((ended.enforced() ? "Rejected" : "Would reject") + " a call without a deadline: " + subject + "; "
				+ ((ended.side() == Side.CLIENT) ? "call the stub withDeadlineAfter" : "its caller must send one")
				+ " (said once a minute)");
	}

	private static String subject(ResilienceEvent event) {
		return (event.client() != null) ? event.method() + " of client " + event.client() : event.method();
	}

}
