package io.github.grpcresilience.autoconfigure.edge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.server.service.GrpcService;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.autoconfigure.Echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What stands behind the edge in tests: a gRPC service that does as it is told, and notes
 * what became of its calls.
 */
@GrpcService
class EdgeBackend implements BindableService {

	static final MethodDescriptor<String, String> DO = Echo.REMAINING.toBuilder()
		.setFullMethodName("test.v1.Backend/Do")
		.build();

	static final MethodDescriptor<String, String> TICK = DO.toBuilder()
		.setType(MethodType.SERVER_STREAMING)
		.setFullMethodName("test.v1.Backend/Tick")
		.build();

	final AtomicInteger arrived = new AtomicInteger();

	/** Calls that nobody has ended. */
	final Set<StreamObserver<String>> open = ConcurrentHashMap.newKeySet();

	/** Calls that were held, to be answered or left. */
	final BlockingQueue<StreamObserver<String>> held = new LinkedBlockingQueue<>();

	/** Requests of the calls that were cancelled. */
	final BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder("test.v1.Backend")
			.addMethod(DO, ServerCalls.asyncUnaryCall(this::handle))
			.addMethod(TICK, ServerCalls.asyncServerStreamingCall(this::tick))
			.build();
	}

	private void handle(String request, StreamObserver<String> observer) {
		begin(request, observer);
		if (request.startsWith("hold")) {
			this.held.add(observer);
			return;
		}
		if (request.startsWith("fail:")) {
			observer.onError(Status.Code.valueOf(request.substring(5))
				.toStatus()
				.withDescription("told to")
				.asRuntimeException());
		}
		else {
			observer.onNext(Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none"));
			observer.onCompleted();
		}
		this.open.remove(observer);
	}

	private void tick(String request, StreamObserver<String> observer) {
		begin(request, observer);
		observer.onNext(Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none"));
		this.held.add(observer);
	}

	private void begin(String request, StreamObserver<String> observer) {
		this.arrived.incrementAndGet();
		this.open.add(observer);
		((ServerCallStreamObserver<String>) observer).setOnCancelHandler(() -> {
			this.open.remove(observer);
			this.cancelled.add(request);
		});
	}

	/**
	 * Names and values of what connects client {@code backend} with the server of its
	 * application. By its port, as another application in the JVM may be what "self" is.
	 */
	static Map<String, Object> connection() {
		try (ServerSocket socket = new ServerSocket(0)) {
			int port = socket.getLocalPort();
			return Map.of("grpc.server.port", port, "grpc.client.backend.address", "static://127.0.0.1:" + port,
					"grpc.client.backend.negotiation-type", "plaintext");
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	StreamObserver<String> awaitHeld() throws InterruptedException {
		StreamObserver<String> observer = this.held.poll(20, TimeUnit.SECONDS);
		assertThat(observer).as("a call that is held").isNotNull();
		return observer;
	}

	void awaitCancelled(String request) {
		await().atMost(Duration.ofSeconds(10)).until(() -> this.cancelled.remove(request));
	}

	void answer(StreamObserver<String> observer, String text) {
		observer.onNext(text);
		observer.onCompleted();
		this.open.remove(observer);
	}

	static String call(Channel channel, String request) {
		return ClientCalls.blockingUnaryCall(channel, DO, CallOptions.DEFAULT, request);
	}

	static ListenableFuture<String> callAsync(Channel channel, String request) {
		ClientCall<String, String> call = channel.newCall(DO, CallOptions.DEFAULT);
		return ClientCalls.futureUnaryCall(call, request);
	}

	static void watch(Channel channel, String request, StreamObserver<String> observer) {
		ClientCalls.asyncServerStreamingCall(channel.newCall(TICK, CallOptions.DEFAULT), request, observer);
	}

	static <T> void then(ListenableFuture<T> future, FutureCallback<T> callback) {
		Futures.addCallback(future, callback, MoreExecutors.directExecutor());
	}

}
