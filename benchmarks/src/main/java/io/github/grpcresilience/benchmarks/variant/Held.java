package io.github.grpcresilience.benchmarks.variant;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;

/**
 * A service whose calls stay open: for ever, or until a number of them is there.
 */
public final class Held implements BindableService {

	/** Its name. */
	public static final String SERVICE = "bench.v1.Held";

	/** Never answers. */
	public static final MethodDescriptor<byte[], byte[]> UNARY = Echo.method(SERVICE, "Unary", MethodType.UNARY);

	/** Answers once and goes on. */
	public static final MethodDescriptor<byte[], byte[]> STREAM = Echo.method(SERVICE, "Stream",
			MethodType.SERVER_STREAMING);

	/** Answers when as many calls are there as the first two bytes say. */
	public static final MethodDescriptor<byte[], byte[]> TOGETHER = Echo.method(SERVICE, "Together", MethodType.UNARY);

	/** Handlers that work hold their observers; so does this one. */
	private final Queue<StreamObserver<byte[]>> open = new ConcurrentLinkedQueue<>();

	private final List<StreamObserver<byte[]>> gathered = new ArrayList<>();

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder(SERVICE)
			.addMethod(UNARY, ServerCalls.asyncUnaryCall((request, observer) -> this.open.add(observer)))
			.addMethod(STREAM, ServerCalls.asyncServerStreamingCall((request, observer) -> {
				this.open.add(observer);
				observer.onNext(request);
			}))
			.addMethod(TOGETHER, ServerCalls.asyncUnaryCall(this::gather))
			.build();
	}

	private void gather(byte[] request, StreamObserver<byte[]> observer) {
		List<StreamObserver<byte[]>> complete = List.of();
		synchronized (this.gathered) {
			this.gathered.add(observer);
			if (this.gathered.size() == numberOf(request)) {
				complete = List.copyOf(this.gathered);
				this.gathered.clear();
			}
		}
		for (StreamObserver<byte[]> each : complete) {
			each.onNext(request);
			each.onCompleted();
		}
	}

	/**
	 * A request for a number of calls.
	 * @param calls their number, at most 32767
	 * @return the request
	 */
	public static byte[] request(int calls) {
		byte[] request = new byte[64];
		request[0] = (byte) (calls >> 8);
		request[1] = (byte) calls;
		return request;
	}

	private static int numberOf(byte[] request) {
		return (request[0] << 8) | (request[1] & 0xff);
	}

}
