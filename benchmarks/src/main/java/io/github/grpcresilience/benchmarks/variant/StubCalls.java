package io.github.grpcresilience.benchmarks.variant;

import java.util.Iterator;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.stub.ClientCalls;

/**
 * Calls as blocking stubs make them.
 *
 * @param channel the channel
 * @param deadline whether they have a deadline, of 5 s
 */
public record StubCalls(Channel channel, boolean deadline) implements Calls {

	private static final int SECONDS = 5;

	@Override
	public byte[] unary(byte[] request) {
		return ClientCalls.blockingUnaryCall(this.channel, Echo.UNARY, options(), request);
	}

	@Override
	public int stream(byte[] request) {
		Iterator<byte[]> answers = ClientCalls.blockingServerStreamingCall(this.channel, Echo.STREAM, options(),
				request);
		int count = 0;
		while (answers.hasNext()) {
			answers.next();
			count++;
		}
		return count;
	}

	private CallOptions options() {
		return this.deadline ? CallOptions.DEFAULT.withDeadlineAfter(SECONDS, TimeUnit.SECONDS) : CallOptions.DEFAULT;
	}

}
