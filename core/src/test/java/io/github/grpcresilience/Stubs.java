package io.github.grpcresilience;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;

/**
 * Every way in which generated code makes a call.
 */
public enum Stubs {

	ASYNC_UNARY(Shop.UNARY) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			Last last = new Last();
			ClientCalls.asyncUnaryCall(channel.newCall(method(), options), request, last);
			return last.get();
		}

	},

	ASYNC_SERVER_STREAM(Shop.SERVER_STREAM) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			Last last = new Last();
			ClientCalls.asyncServerStreamingCall(channel.newCall(method(), options), request, last);
			return last.get();
		}

	},

	ASYNC_CLIENT_STREAM(Shop.CLIENT_STREAM) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			Last last = new Last();
			send(ClientCalls.asyncClientStreamingCall(channel.newCall(method(), options), last), request);
			return last.get();
		}

	},

	ASYNC_BIDI(Shop.BIDI) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			Last last = new Last();
			send(ClientCalls.asyncBidiStreamingCall(channel.newCall(method(), options), last), request);
			return last.get();
		}

	},

	FUTURE_UNARY(Shop.UNARY) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			return ClientCalls.futureUnaryCall(channel.newCall(method(), options), request).get(20, TimeUnit.SECONDS);
		}

	},

	BLOCKING_UNARY(Shop.UNARY) {

		@Override
		String start(Channel channel, CallOptions options, String request) {
			return ClientCalls.blockingUnaryCall(channel, method(), options, request);
		}

	},

	BLOCKING_SERVER_STREAM(Shop.SERVER_STREAM) {

		@Override
		String start(Channel channel, CallOptions options, String request) {
			return ClientCalls.blockingServerStreamingCall(channel, method(), options, request).next();
		}

	},

	BLOCKING_V2_UNARY(Shop.UNARY) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			return ClientCalls.blockingV2UnaryCall(channel, method(), options, request);
		}

	},

	BLOCKING_V2_SERVER_STREAM(Shop.SERVER_STREAM) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			return drain(ClientCalls.blockingV2ServerStreamingCall(channel, method(), options, request));
		}

	},

	BLOCKING_V2_CLIENT_STREAM(Shop.CLIENT_STREAM) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			return exchange(ClientCalls.blockingClientStreamingCall(channel, method(), options), request);
		}

	},

	BLOCKING_V2_BIDI(Shop.BIDI) {

		@Override
		String start(Channel channel, CallOptions options, String request) throws Exception {
			return exchange(ClientCalls.blockingBidiStreamingCall(channel, method(), options), request);
		}

	};

	// Immutable in truth, only not annotated as such.
	@SuppressWarnings("ImmutableEnumChecker")
	private final MethodDescriptor<String, String> method;

	Stubs(MethodDescriptor<String, String> method) {
		this.method = method;
	}

	public MethodDescriptor<String, String> method() {
		return this.method;
	}

	/**
	 * Sends one request.
	 * @return the answer
	 * @throws Exception what the stub's user is told
	 */
	public String call(Channel channel, CallOptions options, String request) throws Exception {
		try {
			return start(channel, options, request);
		}
		catch (ExecutionException ex) {
			throw (Exception) ex.getCause();
		}
	}

	abstract String start(Channel channel, CallOptions options, String request) throws Exception;

	private static void send(StreamObserver<String> requests, String request) {
		requests.onNext(request);
		requests.onCompleted();
	}

	private static String exchange(BlockingClientCall<String, String> call, String request) throws Exception {
		if (call.write(request)) {
			call.halfClose();
		}
		return drain(call);
	}

	private static String drain(BlockingClientCall<String, String> call) throws InterruptedException, StatusException {
		String last = null;
		for (String read = call.read(); read != null; read = call.read()) {
			last = read;
		}
		return last;
	}

	private static final class Last implements StreamObserver<String> {

		private final CompletableFuture<String> outcome = new CompletableFuture<>();

		private String last = "";

		String get() throws Exception {
			return this.outcome.get(20, TimeUnit.SECONDS);
		}

		@Override
		public void onNext(String value) {
			this.last = value;
		}

		@Override
		public void onError(Throwable thrown) {
			this.outcome.completeExceptionally(thrown);
		}

		@Override
		public void onCompleted() {
			this.outcome.complete(this.last);
		}

	}

}
