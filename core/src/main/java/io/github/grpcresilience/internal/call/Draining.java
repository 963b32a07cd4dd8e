package io.github.grpcresilience.internal.call;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Says what becomes of the calls of a server that goes away. Safe for concurrent use.
 */
public interface Draining {

	/** No server ever does. */
	Draining NEVER = new Draining() {

		@Override
		public boolean isOn() {
			return false;
		}

		@Override
		public boolean refuses(ServedCall call, @Nullable Server server) {
			return false;
		}

		@Override
		public boolean ends(@Nullable Server server) {
			return false;
		}

		@Override
		public Status answer(ServedCall call, Metadata trailers) {
			throw new IllegalStateException("no server goes away");
		}

	};

	/**
	 * Whether a server of the application goes away, or the application does. On the path
	 * of every call: one volatile read.
	 * @return {@code false} if nothing else need be asked
	 */
	boolean isOn();

	/**
	 * Whether a call comes too late.
	 * @param call the call, which has not been begun
	 * @param server the server that it came to; {@code null} if that is not known
	 * @return {@code true} if it must not be begun
	 */
	boolean refuses(ServedCall call, @Nullable Server server);

	/**
	 * Whether the calls of a server end that still run.
	 * @param server the server; {@code null} if it is not known
	 * @return {@code true} once they do
	 */
	boolean ends(@Nullable Server server);

	/**
	 * Answers a call.
	 * @param call the call
	 * @param trailers trailers to add to
	 * @return the status
	 */
	Status answer(ServedCall call, Metadata trailers);

}
