package io.github.grpcresilience.internal.connection;

import java.lang.reflect.Method;
import java.time.Duration;

import io.grpc.ManagedChannelBuilder;

/**
 * Bounds how long a channel tries one address. gRPC has no option for it, and Netty has:
 * in its own packages, and under other names where it is shaded. By reflection, since to
 * the compiler these are two libraries of which an application has one; once a channel.
 */
final class ConnectTimeout {

	private ConnectTimeout() {
	}

	/**
	 * Sets the bound.
	 * @param channel the channel to be; one that is not of Netty is left as it is
	 */
	static void set(ManagedChannelBuilder<?> channel, Duration timeout) {
		for (Method method : channel.getClass().getMethods()) {
			if (method.getName().equals("withOption") && method.getParameterCount() == 2) {
				try {
					Object option = method.getParameterTypes()[0].getField("CONNECT_TIMEOUT_MILLIS").get(null);
					method.invoke(channel, option, Math.toIntExact(timeout.toMillis()));
				}
				catch (ReflectiveOperationException ex) {
					// Another Netty than any so far: its own bound of 30 s holds.
				}
				return;
			}
		}
	}

}
