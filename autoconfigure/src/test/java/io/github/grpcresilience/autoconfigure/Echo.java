package io.github.grpcresilience.autoconfigure;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.AbstractBlockingStub;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.server.service.GrpcService;

import io.github.grpcresilience.Budget;

/**
 * A service that says how many milliseconds its call has left, shaped like generated code
 * as far as stub factories look.
 */
@GrpcService
public class Echo implements BindableService {

	public static final MethodDescriptor<String, String> REMAINING = MethodDescriptor.newBuilder(new Text(), new Text())
		.setType(MethodType.UNARY)
		.setFullMethodName("test.v1.Echo/Remaining")
		.build();

	public static final MethodDescriptor<String, String> SLOW = MethodDescriptor.newBuilder(new Text(), new Text())
		.setType(MethodType.UNARY)
		.setFullMethodName("test.v1.Echo/Slow")
		.build();

	public static final MethodDescriptor<String, String> WATCH = MethodDescriptor.newBuilder(new Text(), new Text())
		.setType(MethodType.SERVER_STREAMING)
		.setFullMethodName("test.v1.Echo/Watch")
		.build();

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder("test.v1.Echo")
			.addMethod(REMAINING, ServerCalls.asyncUnaryCall(Echo::remaining))
			.addMethod(SLOW, ServerCalls.asyncUnaryCall((request, observer) -> {
				// Never answers: its deadline does.
			}))
			.addMethod(WATCH, ServerCalls.asyncServerStreamingCall(Echo::remaining))
			.build();
	}

	private static void remaining(String request, StreamObserver<String> observer) {
		observer.onNext(Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none"));
		observer.onCompleted();
	}

	public static String call(Channel channel, CallOptions options) {
		return ClientCalls.blockingUnaryCall(channel, REMAINING, options, "");
	}

	public static EchoBlockingStub newBlockingStub(Channel channel) {
		return new EchoBlockingStub(channel, CallOptions.DEFAULT);
	}

	public static EchoBlockingV2Stub newBlockingV2Stub(Channel channel) {
		return new EchoBlockingV2Stub(channel, CallOptions.DEFAULT);
	}

	public static final class EchoBlockingStub extends AbstractBlockingStub<EchoBlockingStub> {

		private EchoBlockingStub(Channel channel, CallOptions options) {
			super(channel, options);
		}

		@Override
		protected EchoBlockingStub build(Channel channel, CallOptions options) {
			return new EchoBlockingStub(channel, options);
		}

		public String remaining() {
			return call(getChannel(), getCallOptions());
		}

	}

	public static final class EchoBlockingV2Stub extends AbstractBlockingStub<EchoBlockingV2Stub> {

		private EchoBlockingV2Stub(Channel channel, CallOptions options) {
			super(channel, options);
		}

		@Override
		protected EchoBlockingV2Stub build(Channel channel, CallOptions options) {
			return new EchoBlockingV2Stub(channel, options);
		}

		public String remaining() throws Exception {
			return ClientCalls.blockingV2UnaryCall(getChannel(), REMAINING, getCallOptions(), "");
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
