package io.github.grpcresilience.autoconfigure;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.stack.StackFindings;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent;
import io.github.grpcresilience.event.ResilienceEvent.AnswerTrimmed;
import io.github.grpcresilience.event.ResilienceEvent.AttemptsEnded;
import io.github.grpcresilience.event.ResilienceEvent.AttemptsOfChannel;
import io.github.grpcresilience.event.ResilienceEvent.CallEnded;
import io.github.grpcresilience.event.ResilienceEvent.LateFinding;
import io.github.grpcresilience.event.ResilienceEvent.StreamWithoutDeadline;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;
import io.github.grpcresilience.event.ResilienceEvent.WorkAfterEnd;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.policy.Mode;
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
		List<Finding> findings = resilience.inspection().findings();
		if (findings.stream().noneMatch((finding) -> finding.id().equals(StackFindings.NO_STACK))) {
			logger.info(isOn(resilience));
		}
		findings.stream()
			.filter((finding) -> finding.severity() == Severity.WARNING)
			.forEach((finding) -> logger
				.warn(finding.id() + " " + finding.subject() + ": " + finding.message() + "; " + finding.remedy()));
	}

	private static String isOn(GrpcResilience resilience) {
		return "gRPC Resilience is on, mode " + SettingText.of(resilience.mode()) + ", "
				+ resilience.inspection().servedMethods().size() + " methods served"
				+ ((resilience.mode() == Mode.OBSERVE) ? "; calls are counted and left as they are" : "");
	}

	@Override
	public void accept(ResilienceEvent event) {
		if (event instanceof StreamWithoutDeadline) {
			logger.warn("Stream " + subject(event) + " runs without any deadline; set deadline.default in a policy"
					+ " that names it");
		}
		else if (event instanceof UnhandledError error) {
			report(error);
		}
		else if (event instanceof AnswerTrimmed) {
			warnSometimes("trimmed " + subject(event), "The answer of " + subject(event)
					+ " was too large for its caller's connection and was cut; put less into its details");
		}
		else if (event instanceof AttemptsOfChannel) {
			warnSometimes("channel of " + subject(event), "The channel retries or hedges " + subject(event)
					+ " by its service config, so this library does not; remove the one or the other");
		}
		else if (event instanceof LateFinding found) {
			logger.warn(found.id() + " " + found.method() + ": " + found.message() + "; " + found.remedy());
		}
		else if (event instanceof WorkAfterEnd late) {
			report(late);
		}
		else if (event instanceof AttemptsEnded ended && ended.end() == AttemptEnd.BUDGET) {
			warnSometimes("budget of client " + ended.client(), "Client " + ended.client() + " has used up its budget"
					+ " of further attempts, lately for " + ended.method() + "; the service that it calls is failing");
		}
		else if (event instanceof AttemptsEnded ended && ended.end() == AttemptEnd.NO_CONNECTION) {
			warnSometimes("connection of client " + ended.client(),
					"Client " + ended.client() + " has no connection, and got none while it waited for one, lately for "
							+ ended.method() + "; the service that it calls is not there");
		}
		else if (event instanceof CallEnded ended) {
			if (ended.reason() == Reason.DEADLINE_REQUIRED) {
				warnSometimes(subject(ended), withoutDeadline(ended));
			}
			else if (ended.reason() == Reason.CONCURRENCY_LIMIT || ended.reason() == Reason.RATE_LIMIT) {
				warnSometimes(ended.reason() + " " + subject(ended),
						() -> (ended.enforced() ? "Rejected" : "Would reject") + " a call of " + subject(ended) + ": "
								+ ended.reason() + "; callers are told to wait, so act only if this goes on");
			}
			else if (logger.isDebugEnabled()) {
				logger.debug(subject(ended) + " ended: " + ended.reason() + (ended.enforced() ? "" : " (observed)"));
			}
		}
	}

	private void report(WorkAfterEnd late) {
		String work = late.work().name().toLowerCase(Locale.ROOT).replace('_', ' ');
		String remedy = "; let it end with its call, begin it with Detached, give the call a longer deadline, or name"
				+ " the bean in exempt-beans";
		switch (late.fate()) {
			case REFUSED -> logger.warn(subject(late) + " went on after its call had ended and was refused a " + work
					+ remedy + " (said once)");
			case STOPPED -> logger.warn(subject(late) + " began a " + work
					+ " after its call had ended, which was stopped when the grace was over" + remedy + " (said once)");
			case DROPPED -> logger.warn("A " + work + " of " + subject(late)
					+ " had not had its turn when its call ended, and was dropped" + remedy + " (said once)");
			case COMMITTED -> warnSometimes("commit " + subject(late), subject(late)
					+ " committed a transaction after its call had ended, so its caller was told that it failed;"
					+ " set commit-after-end to refuse if that must not be");
			case ROLLED_BACK -> warnSometimes("rollback " + subject(late),
					subject(late) + " was to commit a transaction after its call had ended, and it was rolled back:"
							+ " commit-after-end is refuse");
		}
	}

	private static void report(UnhandledError error) {
		String text = "Call of " + subject(error) + " failed, and nothing says what that means to its caller, who was"
				+ " told INTERNAL with id " + error.id() + "; map the exception with an ErrorMapper";
		try {
			logger.error(text, error.thrown());
		}
		catch (RuntimeException ex) {
			logger.error(text + "; the exception, a " + error.thrown().getClass().getName() + ", cannot be printed",
					ex);
		}
	}

	private static String withoutDeadline(CallEnded ended) {
		return (ended.enforced() ? "Rejected" : "Would reject") + " a call without a deadline: " + subject(ended) + "; "
				+ ((ended.side() == Side.CLIENT) ? "call the stub withDeadlineAfter" : "its caller must send one");
	}

	private void warnSometimes(String cause, String text) {
		warnSometimes(cause, () -> text);
	}

	private void warnSometimes(String cause, Supplier<String> text) {
		long now = System.nanoTime();
		Long before = this.warnedNanos.get(cause);
		if (before == null || now - before >= QUIET_NANOS) {
			this.warnedNanos.put(cause, now);
			logger.warn(text.get() + " (said once a minute)");
		}
	}

	private static String subject(ResilienceEvent event) {
		return (event.client() != null) ? event.method() + " of client " + event.client() : event.method();
	}

}
