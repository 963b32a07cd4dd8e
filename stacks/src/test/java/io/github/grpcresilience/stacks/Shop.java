package io.github.grpcresilience.stacks;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.ServerCalls.UnaryMethod;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.Budget;

/**
 * A service whose methods do what a test needs, written by hand so that no test needs
 * protoc.
 */
class Shop implements BindableService {

	static final MethodDescriptor<String, String> REMAINING = unary("Remaining");

	static final MethodDescriptor<String, String> STRICT = unary("Strict");

	static final MethodDescriptor<String, String> SLOW = unary("Slow");

	static final MethodDescriptor<String, String> FAIL = unary("Fail");

	static final MethodDescriptor<String, String> FLAKY = unary("Flaky");

	static final MethodDescriptor<String, String> BROKEN = unary("Broken");

	static final MethodDescriptor<String, String> LIMITED = unary("Limited");

	static final MethodDescriptor<String, String> WORK = unary("Work");

	static final MethodDescriptor<String, String> WATCH = method("Watch", MethodType.SERVER_STREAMING);

	static final MethodDescriptor<String, String> STAY = method("Stay", MethodType.SERVER_STREAMING);

	private static final String NAME = "test.v1.Shop";

	/** What {@link #WORK} does. */
	private final Work work;

	private final Map<String, AtomicInteger> failures = new ConcurrentHashMap<>();

	/** What {@link #LIMITED} waits for. */
	final CountDownLatch release = new CountDownLatch(1);

	final CountDownLatch entered = new CountDownLatch(1);

	Shop(Work work) {
		this.work = work;
	}

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder(NAME)
			.addMethod(REMAINING, ServerCalls.asyncUnaryCall(Shop::remaining))
			.addMethod(STRICT, ServerCalls.asyncUnaryCall(Shop::remaining))
			.addMethod(SLOW, ServerCalls.asyncUnaryCall((request, observer) -> {
				// Never answers: its deadline does.
			}))
			.addMethod(FAIL, answer(Shop::fail))
			.addMethod(FLAKY, answer(this::flaky))
			.addMethod(BROKEN, answer((request) -> {
				throw Status.UNAVAILABLE.asRuntimeException();
			}))
			.addMethod(LIMITED, answer((request) -> {
				this.entered.countDown();
				this.release.await();
				return request;
			}))
			.addMethod(WORK, answer(this.work))
			.addMethod(STAY, ServerCalls.asyncServerStreamingCall((request, observer) -> observer.onNext("open")))
			.addMethod(WATCH, ServerCalls.asyncServerStreamingCall(Shop::remaining))
			.build();
	}

	private static void remaining(String request, StreamObserver<String> observer) {
		observer.onNext(Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none"));
		observer.onCompleted();
	}

	private static String fail(String kind) {
		throw switch (kind) {
			case "mapped" -> new UnknownArticle();
			case "advised" -> new Teapot();
			case "status" -> Status.ALREADY_EXISTS.withDescription("twice").asRuntimeException();
			default -> new IllegalStateException("secret");
		};
	}

	/**
	 * Fails twice for each request, then tells how often it was asked.
	 */
	private String flaky(String request) {
		int attempt = this.failures.computeIfAbsent(request, (key) -> new AtomicInteger()).incrementAndGet();
		if (attempt < 3) {
			throw Status.UNAVAILABLE.withDescription("attempt " + attempt).asRuntimeException();
		}
		return "attempt " + attempt;
	}

	private static MethodDescriptor<String, String> unary(String name) {
		return method(name, MethodType.UNARY);
	}

	private static MethodDescriptor<String, String> method(String name, MethodType type) {
		return MethodDescriptor.newBuilder(new Text(), new Text())
			.setType(type)
			.setFullMethodName(NAME + "/" + name)
			.build();
	}

	private static ServerCallHandler<String, String> answer(Work work) {
		UnaryMethod<String, String> method = (request, observer) -> {
			try {
				observer.onNext(work.answer(request));
				observer.onCompleted();
			}
			catch (RuntimeException ex) {
				throw ex;
			}
			catch (Exception ex) {
				throw new IllegalStateException(ex);
			}
		};
		return ServerCalls.asyncUnaryCall(method);
	}

	static String call(Channel channel, MethodDescriptor<String, String> method, String request) {
		return ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, request);
	}

	/**
	 * Where a call comes from, which tells its connection from others.
	 */
	static SocketAddress localAddress(Channel channel) {
		ClientCall<String, String> call = channel.newCall(REMAINING, CallOptions.DEFAULT);
		CompletableFuture<SocketAddress> address = new CompletableFuture<>();
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				if (status.isOk()) {
					address.complete(call.getAttributes().get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR));
				}
				else {
					address.completeExceptionally(status.asException(trailers));
				}
			}

		}, new Metadata());
		call.request(1);
		call.sendMessage("");
		call.halfClose();
		return address.join();
	}

	/**
	 * What a handler does.
	 */
	@FunctionalInterface
	interface Work {

		String answer(String request) throws Exception;

	}

	/** An {@code ErrorMapper} knows it. */
	static final class UnknownArticle extends RuntimeException {

	}

	/** A {@code @GrpcAdvice} knows it, and an {@code ErrorMapper} too. */
	static final class Teapot extends RuntimeException {

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
