package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.util.List;
import java.util.Set;

/**
 * Looks where threads wait for responses.
 */
final class ExchangeWait {

	private static final Set<String> INTERRUPTIBLE = Set.of("org.springframework.http.client.JdkClientHttpRequest",
			"org.springframework.http.client.ReactorClientHttpRequest");

	/** Below them there is nothing but the wait for a response. */
	private static final List<String> WAITING = List.of("java.util.concurrent.", "jdk.internal.misc.",
			"java.lang.VirtualThread", "java.lang.System$", "reactor.core.publisher.");

	private ExchangeWait() {
	}

	/**
	 * Whether a thread waits where an interrupt makes Spring cancel the exchange. Others
	 * forget to (Jetty's), or do not wait for what an interrupt reaches (Apache's,
	 * HttpURLConnection): they are told otherwise.
	 */
	static boolean isInterruptible(Thread thread) {
		for (StackTraceElement frame : thread.getStackTrace()) {
			String type = frame.getClassName();
			if (INTERRUPTIBLE.contains(type)) {
				return true;
			}
			if (WAITING.stream().noneMatch(type::startsWith)) {
				return false;
			}
		}
		return false;
	}

}
