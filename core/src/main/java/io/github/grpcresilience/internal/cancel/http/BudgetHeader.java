package io.github.grpcresilience.internal.cancel.http;

import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.policy.Allowance;

/**
 * The header that tells an HTTP server how much time is left, and which hosts are told.
 * Immutable.
 *
 * <p>
 * The value is that of {@code grpc-timeout} (gRPC over HTTP/2, "Timeout"): at most eight
 * digits and a unit. A header called {@code X-Envoy-Expected-Rq-Timeout-Ms} holds whole
 * milliseconds.
 */
public final class BudgetHeader {

	/** Name of the header where nobody chooses another. */
	public static final String DEFAULT_NAME = "grpc-timeout";

	private static final String ENVOY = "x-envoy-expected-rq-timeout-ms";

	/** Headers that HTTP clients write themselves; {@code java.net.http} refuses them. */
	private static final Set<String> RESERVED = Set.of("connection", "content-length", "expect", "host",
			"transfer-encoding", "upgrade");

	private static final Pattern NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

	private static final Pattern HOST = Pattern.compile(
			"(?:\\*\\.)?[0-9a-z](?:[0-9a-z-]*[0-9a-z])?(?:\\.[0-9a-z](?:[0-9a-z-]*[0-9a-z])?)*" + "|\\[[0-9a-f:.]+]");

	private static final long[] UNIT_NANOS = { 1L, 1_000L, 1_000_000L, 1_000_000_000L, 60_000_000_000L,
			3_600_000_000_000L };

	private static final String UNITS = "numSMH";

	private static final long MAX_AMOUNT = 99_999_999L;

	private final String name;

	private final Set<String> hosts = new HashSet<>();

	/** Suffixes with their leading dot. */
	private final Set<String> domains = new HashSet<>();

	private final Allowance reserve;

	/**
	 * Creates the header.
	 * @param name name of the header
	 * @param hosts hosts that are told: names, or {@code *.domain} for all below a
	 * domain; nobody if empty
	 * @param reserve what is kept back of the time that is left
	 * @throws IllegalArgumentException if the name or a host is malformed
	 */
	public BudgetHeader(String name, Collection<String> hosts, Allowance reserve) {
		if (!isName(name)) {
			throw new IllegalArgumentException("name \"" + name + "\" must be a header that may be set");
		}
		this.name = name;
		this.reserve = reserve;
		for (String host : hosts) {
			if (!isHost(host)) {
				throw new IllegalArgumentException("host \"" + host + "\" must be a host name or *.domain");
			}
			String lower = host.toLowerCase(Locale.ROOT);
			if (lower.startsWith("*")) {
				this.domains.add(lower.substring(1));
			}
			else {
				this.hosts.add(lower);
			}
		}
	}

	/**
	 * Whether a text names a header that applications may set.
	 * @param name the text
	 * @return {@code false} for anything else (RFC 9110, 5.1)
	 */
	public static boolean isName(String name) {
		return NAME.matcher(name).matches() && !RESERVED.contains(name.toLowerCase(Locale.ROOT));
	}

	/**
	 * Whether a text names hosts.
	 * @param host the text
	 * @return {@code true} for a host name, an address (IPv6 in brackets) and
	 * {@code *.domain}; {@code false} for what has a scheme, a port or a path
	 */
	public static boolean isHost(String host) {
		return HOST.matcher(host.toLowerCase(Locale.ROOT)).matches();
	}

	/**
	 * Name of the header.
	 * @return the name as it was given
	 */
	public String name() {
		return this.name;
	}

	/**
	 * Whether a host is told.
	 * @param host host of a URI; {@code null} if it has none
	 * @return {@code true} if it is on the list
	 */
	public boolean isFor(@Nullable String host) {
		if (host == null || (this.hosts.isEmpty() && this.domains.isEmpty())) {
			return false;
		}
		String lower = host.toLowerCase(Locale.ROOT);
		return this.hosts.contains(lower) || isBelowDomain(lower);
	}

	private boolean isBelowDomain(String host) {
		for (int dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
			if (this.domains.contains(host.substring(dot))) {
				return true;
			}
		}
		return false;
	}

	/**
	 * What a host is told.
	 * @param left nanoseconds that are left; {@code Long.MAX_VALUE} for no bound
	 * @return empty if it is told nothing: it is not on the list, there is no deadline,
	 * or nothing is left
	 */
	Optional<String> findValue(long left, @Nullable String host) {
		if (left == Long.MAX_VALUE || !isFor(host)) {
			return Optional.empty();
		}
		long budget = left - this.reserve.ofNanos(left);
		return (budget > 0) ? Optional.of(render(budget)) : Optional.empty();
	}

	private String render(long nanos) {
		if (ENVOY.equalsIgnoreCase(this.name)) {
			// Zero would mean no timeout.
			return String.valueOf(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
		}
		int unit = 0;
		while (nanos / UNIT_NANOS[unit] > MAX_AMOUNT) {
			unit++;
		}
		return nanos / UNIT_NANOS[unit] + UNITS.substring(unit, unit + 1);
	}

}
