package io.github.grpcresilience;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

/**
 * Calls of any type without a stub: one request, and whatever comes back.
 */
public final class Calls {

	private Calls() {
	}

	public static List<MethodDescriptor<String, String>> types() {
		return List.of(Shop.UNARY, Shop.SERVER_STREAM, Shop.CLIENT_STREAM, Shop.BIDI);
	}

	public static Ended run(Channel channel, MethodDescriptor<String, String> method, CallOptions options) {
		return start(channel, method, options).orTimeout(20, TimeUnit.SECONDS).join();
	}

	public static CompletableFuture<Ended> start(Channel channel, MethodDescriptor<String, String> method,
			CallOptions options) {
		CompletableFuture<Ended> ended = new CompletableFuture<>();
		List<String> messages = new CopyOnWriteArrayList<>();
		ClientCall<String, String> call = channel.newCall(method, options);
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onMessage(String message) {
				messages.add(message);
			}

			@Override
			public void onClose(Status status, Metadata trailers) {
				ended.complete(new Ended(messages, status, trailers, Thread.currentThread()));
			}

		}, new Metadata());
		call.request(Integer.MAX_VALUE);
		call.sendMessage("x");
		call.halfClose();
		return ended;
	}

	/**
	 * Loads classes and connects. It is a client stream because tests replace the other
	 * handlers.
	 */
	public static <T extends Channel> T warm(T channel) {
		run(channel, Shop.CLIENT_STREAM, Loopback.within(20_000));
		return channel;
	}

	/**
	 * How a call ended.
	 *
	 * @param thread thread that was told
	 */
	public record Ended(List<String> messages, Status status, Metadata trailers, Thread thread) {

		public Status.Code code() {
			return this.status.getCode();
		}

		public ErrorInfo errorInfo() {
			return Loopback.errorInfo(this.status.asRuntimeException(this.trailers));
		}

	}

}
