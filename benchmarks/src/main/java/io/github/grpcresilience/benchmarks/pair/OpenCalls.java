package io.github.grpcresilience.benchmarks.pair;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.benchmarks.variant.Held;

/**
 * Calls that stay open beside those that are measured, and keep every timer busy that
 * calls have: some with far deadlines, and one that ends before those that are measured.
 * On a server that has nothing else to do each new deadline is the first one to come, and
 * wakes a thread.
 */
final class OpenCalls {

	private static final int FAR = 4;

	/** Less than what any variant allows a call that is measured, or an attempt of it. */
	private static final long NEAR_MILLIS = 800;

	private static final byte[] REQUEST = Held.request(1);

	private final ManagedChannel channel;

	private final List<ClientCall<byte[], byte[]>> far = new ArrayList<>();

	private @Nullable ClientCall<byte[], byte[]> near;

	OpenCalls(ManagedChannel channel) {
		this.channel = channel;
		for (int i = 0; i < FAR; i++) {
			this.far.add(open(channel, Held.UNARY, TimeUnit.HOURS.toMillis(1), new ClientCall.Listener<>() {
			}));
		}
	}

	static ClientCall<byte[], byte[]> open(ManagedChannel channel, MethodDescriptor<byte[], byte[]> method, long millis,
			ClientCall.Listener<byte[]> listener) {
		CallOptions options = (millis > 0) ? CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
				: CallOptions.DEFAULT;
		return send(channel.newCall(method, options), REQUEST, listener);
	}

	static ClientCall<byte[], byte[]> send(ClientCall<byte[], byte[]> call, byte[] request,
			ClientCall.Listener<byte[]> listener) {
		call.start(listener, new Metadata());
		call.request(2);
		call.sendMessage(request);
		call.halfClose();
		return call;
	}

	void beforeBatch() {
		this.near = open(this.channel, Held.UNARY, NEAR_MILLIS, new ClientCall.Listener<>() {
		});
	}

	void afterBatch() {
		if (this.near != null) {
			this.near.cancel("the batch is over", null);
		}
	}

}
