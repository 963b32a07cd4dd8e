package com.example.shop;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.service.GrpcService;

/**
 * A service whose requests say how they want to be answered. It is written by hand, so
 * that there is nothing to generate.
 */
@GrpcService(interceptors = Prices.Headers.class)
class Prices implements BindableService {

	static final MethodDescriptor<String, String> GET = method("Get", MethodDescriptor.MethodType.UNARY);

	/** Asks another service, which is this one again. */
	static final MethodDescriptor<String, String> ASK = method("Ask", MethodDescriptor.MethodType.UNARY);

	static final MethodDescriptor<String, String> SAVE = method("Save", MethodDescriptor.MethodType.UNARY);

	static final MethodDescriptor<String, String> LIST = method("List", MethodDescriptor.MethodType.SERVER_STREAMING);

	/** Is not there. */
	static final MethodDescriptor<String, String> DROP = method("Drop", MethodDescriptor.MethodType.UNARY);

	private final Items items;

	@GrpcClient("prices")
	private Channel prices;

	Prices(Items items) {
		this.items = items;
	}

	private static MethodDescriptor<String, String> method(String name, MethodDescriptor.MethodType type) {
		return MethodDescriptor.newBuilder(new Text(), new Text())
			.setType(type)
			.setFullMethodName("shop.v1.Prices/" + name)
			.build();
	}

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder("shop.v1.Prices")
			.addMethod(GET, ServerCalls.asyncUnaryCall(this::get))
			.addMethod(ASK, ServerCalls.asyncUnaryCall(this::ask))
			.addMethod(SAVE, ServerCalls.asyncUnaryCall(this::save))
			.addMethod(LIST, ServerCalls.asyncServerStreamingCall(this::list))
			.build();
	}

	private void get(String request, StreamObserver<String> observer) {
		switch (request) {
			case "headers" -> answer(observer, Headers.NAMES.get());
			case "never" -> {
				waitForTheEnd();
				answer(observer, "late");
			}
			case "IllegalState" -> throw new IllegalStateException("secrets of 10.0.0.7");
			case "IllegalArgument" -> throw new IllegalArgumentException("secrets of 10.0.0.7");
			case "thrown" -> throw failure(Status.Code.NOT_FOUND);
			case "book" -> answer(observer, "a book");
			default -> observer.onError(failure(Status.Code.valueOf(request)));
		}
	}

	private void ask(String request, StreamObserver<String> observer) {
		answer(observer, ClientCalls.blockingUnaryCall(this.prices, GET, CallOptions.DEFAULT, request));
	}

	private void save(String sku, StreamObserver<String> observer) {
		answer(observer, this.items.saveAndFlush(new Item(sku)).sku());
	}

	private void list(String request, StreamObserver<String> observer) {
		observer.onNext("one");
		if (!request.equals("all")) {
			observer.onError(failure(Status.Code.valueOf(request)));
			return;
		}
		observer.onNext("two");
		observer.onCompleted();
	}

	private static RuntimeException failure(Status.Code code) {
		return code.toStatus().withDescription("words of 10.0.0.7").asRuntimeException();
	}

	private static void waitForTheEnd() {
		Context call = Context.current();
		for (int i = 0; i < 1_000 && !call.isCancelled(); i++) {
			try {
				TimeUnit.MILLISECONDS.sleep(10);
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
		}
	}

	private static void answer(StreamObserver<String> observer, String answer) {
		observer.onNext(answer);
		observer.onCompleted();
	}

	/** Lets the handler see which headers there are. */
	public static class Headers implements ServerInterceptor {

		static final Context.Key<String> NAMES = Context.key("names");

		@Override
		public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
				ServerCallHandler<Q, R> next) {
			return Contexts.interceptCall(
					Context.current().withValue(NAMES, String.join(" ", new TreeSet<>(headers.keys()))), call, headers,
					next);
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
