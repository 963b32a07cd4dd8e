package io.github.grpcresilience.internal.error;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/**
 * Names a call to those who ask for it later: by the id of its trace, or by a random
 * number in the same form. Safe for concurrent use.
 */
final class RequestIds {

	/** {@code version-trace-parent-flags} (W3C Trace Context). */
	private static final Metadata.Key<String> TRACE_PARENT = Metadata.Key.of("traceparent",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final int BEGIN = 3;

	private static final int LENGTH = 32;

	private final Supplier<@Nullable String> traces;

	/**
	 * Names calls.
	 * @param traces id of the trace that the thread is in; {@code null} if it is in none
	 */
	RequestIds(Supplier<@Nullable String> traces) {
		this.traces = traces;
	}

	String of(Metadata headers) {
		String trace = trace();
		if (trace != null && !trace.isEmpty()) {
			return trace;
		}
		String parent = headers.get(TRACE_PARENT);
		if (parent != null && parent.length() > BEGIN + LENGTH && isHex(parent, BEGIN, BEGIN + LENGTH)) {
			return parent.substring(BEGIN, BEGIN + LENGTH);
		}
		ThreadLocalRandom random = ThreadLocalRandom.current();
		return hex(random.nextLong()) + hex(random.nextLong());
	}

	private @Nullable String trace() {
		try {
			return this.traces.get();
		}
		catch (RuntimeException | Error ex) {
			return null; // the id is needed even where tracing is broken
		}
	}

	private static boolean isHex(String text, int begin, int end) {
		for (int i = begin; i < end; i++) {
			if (Character.digit(text.charAt(i), 16) < 0 || text.charAt(i) > 'f') {
				return false;
			}
		}
		return true;
	}

	private static String hex(long value) {
		String digits = Long.toHexString(value);
		return "0".repeat(16 - digits.length()) + digits;
	}

}
