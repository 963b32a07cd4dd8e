package io.github.grpcresilience.internal.stream;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Shop;

/**
 * Reads as much of a stream as a test asks for.
 */
final class SlowReader extends ClientCall.Listener<String> {

	private final ClientCall<String, String> call;

	private final List<String> messages = new ArrayList<>();

	private final CompletableFuture<Calls.Ended> ended = new CompletableFuture<>();

	SlowReader(Channel channel, CallOptions options) {
		this(channel, Shop.SERVER_STREAM, options);
	}

	SlowReader(Channel channel, MethodDescriptor<String, String> method, CallOptions options) {
		this.call = channel.newCall(method, options);
		this.call.start(this, new Metadata());
		this.call.sendMessage("x");
		this.call.halfClose();
	}

	@Override
	public void onMessage(String message) {
		synchronized (this.messages) {
			this.messages.add(message);
		}
	}

	@Override
	public void onClose(Status status, Metadata trailers) {
		this.ended.complete(new Calls.Ended(messages(), status, trailers, Thread.currentThread()));
	}

	List<String> messages() {
		synchronized (this.messages) {
			return List.copyOf(this.messages);
		}
	}

	void read(int count) {
		this.call.request(count);
	}

	/** Reads whatever is left, to the end. */
	Calls.Ended readAll() {
		read(Integer.MAX_VALUE);
		return end();
	}

	void leave() {
		this.call.cancel("enough", null);
	}

	Calls.Ended end() {
		return this.ended.orTimeout(30, TimeUnit.SECONDS).join();
	}

	boolean hasEnded() {
		return this.ended.isDone();
	}

}
