package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.deadline.GrpcTimeout;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.status.Reason;
import io.github.grpcresilience.status.StatusDetails;

/**
 * Budgets of HTTP requests. Immutable.
 */
final class EdgeBudgets {

	private static final Pattern MILLIS = Pattern.compile("[0-9]{1,18}");

	private static final List<String> STREAMS = List.of("text/event-stream", "application/x-ndjson");

	private final List<String> headers;

	private final Duration defaultBudget;

	private final Duration maxBudget;

	private final String service;

	EdgeBudgets(Edge edge, String service) {
		this.headers = List.copyOf(edge.deadlineHeaders());
		this.defaultBudget = edge.defaultBudget();
		this.maxBudget = edge.maxBudget();
		this.service = service;
	}

	/**
	 * Reads a request's budget.
	 * @param header the first value of a header; {@code null} if it is not there
	 * @return the budget, positive; {@code null} for a request that has none
	 * @throws GrpcError INVALID_ARGUMENT if the budget is malformed, DEADLINE_EXCEEDED if
	 * nothing is left of it
	 */
	@Nullable Duration find(Function<String, @Nullable String> header) {
		for (String name : this.headers) {
			String value = header.apply(name);
			if (value != null) {
				return shorten(read(name, value));
			}
		}
		return isStream(header) ? null : this.defaultBudget;
	}

	private Duration shorten(Duration budget) {
		if (budget.isZero()) {
			throw exhausted();
		}
		return (budget.compareTo(this.maxBudget) > 0) ? this.maxBudget : budget;
	}

	private static Duration read(String name, String value) {
		try {
			return name.toLowerCase(Locale.ROOT).endsWith("-ms") ? Duration.ofMillis(millis(name, value))
					: Duration.ofNanos(GrpcTimeout.parseNanos(value));
		}
		catch (IllegalArgumentException ex) {
			throw malformed(name, String.valueOf(ex.getMessage()));
		}
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
