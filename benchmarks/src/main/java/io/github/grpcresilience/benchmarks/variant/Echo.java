package io.github.grpcresilience.benchmarks.variant;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

import io.grpc.BindableService;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.ServerCalls.UnaryMethod;

/**
 * A service that answers bytes: once, or several times.
 *
 * @param handler answers the unary calls
 */
public record Echo(UnaryMethod<byte[], byte[]> handler) implements BindableService {

	/** Its name. */
	public static final String SERVICE = "bench.v1.Echo";

	/** Answers what it is sent. */
	public static final MethodDescriptor<byte[], byte[]> UNARY = method(SERVICE, "Unary", MethodType.UNARY);

	/** Answers what it is sent, as often as the first byte says. */
	public static final MethodDescriptor<byte[], byte[]> STREAM = method(SERVICE, "Stream",
			MethodType.SERVER_STREAMING);

	/**
	 * Answers at once.
	 * @return the service
	 */
	public static Echo atOnce() {
		return new Echo((request, observer) -> {
			observer.onNext(request);
			observer.onCompleted();
		});
	}

	static MethodDescriptor<byte[], byte[]> method(String service, String name, MethodType type) {
		return MethodDescriptor.newBuilder(new Bytes(), new Bytes())
			.setType(type)
			.setFullMethodName(service + "/" + name)
			.build();
	}

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder(SERVICE)
			.addMethod(UNARY, ServerCalls.asyncUnaryCall(this.handler))
			.addMethod(STREAM, ServerCalls.asyncServerStreamingCall((request, observer) -> {
				for (int i = 0; i < request[0]; i++) {
					observer.onNext(request);
				}
				observer.onCompleted();
			}))
			.build();
	}

	private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

		@Override
		public InputStream stream(byte[] value) {
			return new KnownBytes(value);
		}

		@Override
		public byte[] parse(InputStream stream) {
			try {
				return (stream instanceof KnownLength) ? stream.readNBytes(stream.available()) : stream.readAllBytes();
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

	/**
	 * What transports need to copy a message once, as generated code has it: otherwise
	 * they copy through buffers that cost more than the call.
	 */
	private static final class KnownBytes extends ByteArrayInputStream implements KnownLength, Drainable {

		KnownBytes(byte[] bytes) {
			super(bytes);
		}

		@Override
		public int drainTo(OutputStream target) throws IOException {
			int length = available();
			target.write(this.buf, this.pos, length);
			this.pos = this.count;
			return length;
		}

	}

}
