package io.github.grpcresilience.benchmarks.variant;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;

/**
 * grpc-java alone.
 */
public enum Plain implements Variant {

	/** As it comes. */
	BARE(false, true),

	/** With a deadline: what all others are compared with. */
	DEADLINE(true, true),

	/**
	 * With a deadline and without the layer for retries, which a channel over the network
	 * has even where no retries are configured.
	 */
	NO_RETRY_LAYER(true, false);

	private final boolean deadline;

	private final boolean retryLayer;

	Plain(boolean deadline, boolean retryLayer) {
		this.deadline = deadline;
		this.retryLayer = retryLayer;
	}

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		if (!this.retryLayer) {
			channel.disableRetry();
		}
	}

	@Override
	public Calls calls(ManagedChannel channel) {
		return new StubCalls(channel, this.deadline);
	}

}
