package io.github.grpcresilience.benchmarks.variant;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

/**
 * What stands between stub, network and handler. Belongs to one server and one channel.
 */
public interface Variant extends AutoCloseable {

	/**
	 * Adds to a server.
	 * @param server the server to be
	 */
	default void serve(ServerBuilder<?> server) {
	}

	/**
	 * Adds to a channel.
	 * @param channel the channel to be
	 */
	default void dial(ManagedChannelBuilder<?> channel) {
	}

	/**
	 * What an application calls.
	 * @param channel the channel
	 * @return the calls, with a deadline if not said otherwise
	 */
	default Calls calls(ManagedChannel channel) {
		return new StubCalls(channel, true);
	}

	/**
	 * Ends what it started; server and channel have ended before.
	 */
	@Override
	default void close() {
	}

}
