package io.github.grpcresilience;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;
import java.util.function.Function;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;

/**
 * A service with one method of each type; texts go over the wire. A test replaces the
 * handlers it is about.
 */
public final class Shop implements BindableService {

	public static final MethodDescriptor<String, String> UNARY = method("test.v1.Shop/Unary", MethodType.UNARY);

	public static final MethodDescriptor<String, String> SERVER_STREAM = method("test.v1.Shop/ServerStream",
			MethodType.SERVER_STREAMING);

	public static final MethodDescriptor<String, String> CLIENT_STREAM = method("test.v1.Shop/ClientStream",
			MethodType.CLIENT_STREAMING);

	public static final MethodDescriptor<String, String> BIDI = method("test.v1.Shop/Bidi", MethodType.BIDI_STREAMING);

	private BiConsumer<String, StreamObserver<String>> unary = Shop::echo;

	private BiConsumer<String, StreamObserver<String>> serverStream = Shop::echo;

	private Function<StreamObserver<String>, StreamObserver<String>> clientStream = Shop::echoAll;

	private Function<StreamObserver<String>, StreamObserver<String>> bidi = Shop::echoAll;

	public Shop unary(BiConsumer<String, StreamObserver<String>> handler) {
		this.unary = handler;
		return this;
	}

	public Shop serverStream(BiConsumer<String, StreamObserver<String>> handler) {
		this.serverStream = handler;
		return this;
	}

	public Shop clientStream(Function<StreamObserver<String>, StreamObserver<String>> handler) {
		this.clientStream = handler;
		return this;
	}

	public Shop bidi(Function<StreamObserver<String>, StreamObserver<String>> handler) {
		this.bidi = handler;
		return this;
	}

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder("test.v1.Shop")
			.addMethod(UNARY, ServerCalls.asyncUnaryCall((request, observer) -> this.unary.accept(request, observer)))
			.addMethod(SERVER_STREAM,
					ServerCalls
						.asyncServerStreamingCall((request, observer) -> this.serverStream.accept(request, observer)))
			.addMethod(CLIENT_STREAM,
					ServerCalls.asyncClientStreamingCall((observer) -> this.clientStream.apply(observer)))
			.addMethod(BIDI, ServerCalls.asyncBidiStreamingCall((observer) -> this.bidi.apply(observer)))
			.build();
	}

	public static void echo(String request, StreamObserver<String> observer) {
		observer.onNext(request);
		observer.onCompleted();
	}

	/**
	 * Answers with the last message once the caller has completed.
	 */
	public static StreamObserver<String> echoAll(StreamObserver<String> observer) {
		return new StreamObserver<>() {

			private String last = "";

			@Override
			public void onNext(String value) {
				this.last = value;
			}

			@Override
			public void onError(Throwable thrown) {
				// The caller left; there is nobody to answer.
			}

			@Override
			public void onCompleted() {
				echo(this.last, observer);
			}

		};
	}

	public static MethodDescriptor<String, String> method(String name, MethodType type) {
		return MethodDescriptor.newBuilder(new Text(), new Text()).setType(type).setFullMethodName(name).build();
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
