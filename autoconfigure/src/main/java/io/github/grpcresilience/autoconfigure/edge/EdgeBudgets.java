package io.github.grpcresilience.autoconfigure.edge;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.regex.Pattern;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.deadline.GrpcTimeout;
import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Budgets of HTTP requests. Immutable.
 */
final class EdgeBudgets {

	private static final Pattern MILLIS = Pattern.compile("[0-9]{1,18}");

	/** Name of the property. */
	static final String DEFAULT = "grpc.resilience.edge.default-budget";

	private static final String MAX = "grpc.resilience.edge.max-budget";

	private static final List<String> STREAMS = List.of("text/event-stream", "application/x-ndjson");

	private final List<String> headers;

	/** Null if requests that bring none along have none. */
	private final @Nullable EdgeBudget defaultBudget;

	private final EdgeBudget maxBudget;

	private final String service;

	private final boolean strict;

	private final LongAdder ignored = new LongAdder();

	/**
	 * Reads budgets.
	 * @param service name of this application
	 * @param strict whether malformed budgets are refused; else they are ignored
	 */
	EdgeBudgets(Edge edge, String service, boolean strict) {
		this.headers = List.copyOf(edge.deadlineHeaders());
		Duration defaultBudget = edge.defaultBudget();
		this.defaultBudget = (defaultBudget != null) ? new EdgeBudget(defaultBudget, DEFAULT) : null;
		this.maxBudget = new EdgeBudget(edge.maxBudget(), MAX);
		this.service = service;
		this.strict = strict;
	}

	/**
	 * Reads a request's budget.
	 * @param header the first value of a header; {@code null} if it is not there
	 * @return the budget, positive; {@code null} for a request that has none
	 * @throws GrpcError INVALID_ARGUMENT if the budget is malformed and that is refused,
	 * DEADLINE_EXCEEDED if nothing is left of it
	 */
	@Nullable EdgeBudget find(Function<String, @Nullable String> header) {
		for (String name : this.headers) {
			String value = header.apply(name);
			Duration budget = (value != null) ? read(name, value) : null;
			if (budget != null) {
				return shorten(name, budget);
			}
		}
		return (this.defaultBudget == null || isStream(header)) ? null : this.defaultBudget;
	}

	private EdgeBudget shorten(String name, Duration budget) {
		if (budget.isZero()) {
			throw exhausted();
		}
		return (budget.compareTo(this.maxBudget.duration()) > 0) ? this.maxBudget
				: new EdgeBudget(budget, "header " + name);
	}

	private @Nullable Duration read(String name, String value) {
		try {
			return name.toLowerCase(Locale.ROOT).endsWith("-ms") ? Duration.ofMillis(millis(name, value))
					: Duration.ofNanos(GrpcTimeout.parseNanos(value));
		}
		catch (IllegalArgumentException ex) {
			if (this.strict) {
				throw malformed(name, String.valueOf(ex.getMessage()));
			}
			this.ignored.increment();
			return null;
		}
	}

	/**
	 * Whether requests that bring no budget along are given one.
	 */
	boolean hasDefault() {
		return this.defaultBudget != null;
	}

	/**
	 * Malformed budgets that were ignored.
	 */
	long ignored() {
		return this.ignored.sum();
	}

	private static long millis(String name, String value) {
		if (!MILLIS.matcher(value).matches()) {
			throw new IllegalArgumentException(name + " must be a whole number of milliseconds; for example 500");
		}
		return Long.parseLong(value);
	}

	/**
	 * Whether a request asks for what may go on for ever. The upgrade to HTTP/2 changes
	 * the protocol only, and clients such as the JDK's ask for it every time.
	 */
	private static boolean isStream(Function<String, @Nullable String> header) {
		String upgrade = header.apply("Upgrade");
		if (upgrade != null && !upgrade.strip().equalsIgnoreCase("h2c")) {
			return true;
		}
		String accept = header.apply("Accept");
		String lower = (accept != null) ? accept.toLowerCase(Locale.ROOT) : "";
		return STREAMS.stream().anyMatch(lower::contains);
	}

	private GrpcError exhausted() {
		return GrpcError.answer(Status.Code.DEADLINE_EXCEEDED)
			.message("nothing is left of the request's budget")
			.reason(Reason.BUDGET_EXHAUSTED.name())
			.domain(StatusDetails.DOMAIN)
			.with("service", this.service)
			.with("side", "server")
			.with("budget_ms", 0);
	}

	private static GrpcError malformed(String name, String expected) {
		return GrpcError.answer(Status.Code.INVALID_ARGUMENT).message(expected).withViolation(name, expected);
	}

}
