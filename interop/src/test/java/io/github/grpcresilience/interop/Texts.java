package io.github.grpcresilience.interop;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;

/**
 * Calls whose messages are texts.
 */
final class Texts {

	static final String SERVICE = "test.v1.Shop";

	static final MethodDescriptor<String, String> UNARY = MethodDescriptor.newBuilder(new Text(), new Text())
		.setType(MethodType.UNARY)
		.setFullMethodName(SERVICE + "/Unary")
		.build();

	private Texts() {
	}

	static CallOptions within(long millis) {
		return CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
	}

	static Call start(Channel channel, String request, CallOptions options) {
		Call call = new Call(channel.newCall(UNARY, options));
		call.call.start(call, new Metadata());
		call.call.request(2);
		call.call.sendMessage(request);
		call.call.halfClose();
		return call;
	}

	/**
	 * A call that is on its way.
	 */
	static final class Call extends ClientCall.Listener<String> {

		private final ClientCall<String, String> call;

		private final CompletableFuture<Ended> ended = new CompletableFuture<>();

		private volatile String answer = "";

		Call(ClientCall<String, String> call) {
			this.call = call;
		}

		void cancel() {
			this.call.cancel("enough", null);
		}

		Ended ended() {
			try {
				return this.ended.get(40, TimeUnit.SECONDS);
			}
			catch (InterruptedException | ExecutionException | TimeoutException ex) {
				throw new IllegalStateException(ex);
			}
		}

		@Override
		public void onMessage(String message) {
			this.answer = message;
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.ended.complete(new Ended(this.answer, status, trailers));
		}

	}

	/**
	 * How a call ended.
	 */
	record Ended(String answer, Status status, Metadata trailers) {

		boolean isOk() {
			return this.status.isOk();
		}

		Status.Code code() {
			return this.status.getCode();
		}

	}

	private static final class Text implements MethodDescriptor.Marshaller<String> {

		@Override
		public InputStream stream(String value) {
			return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
		}

		@Override
		public String parse(InputStream stream) {
			try {
				return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

}
