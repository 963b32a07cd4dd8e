package io.github.grpcresilience.autoconfigure;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * A service that fails as it is asked to: {@code position exception}.
 */
public final class Failing implements BindableService {

	public static final String SECRET = "jdbc:secret/7";

	private static final MethodDescriptor<String, String> FAIL = Echo.REMAINING.toBuilder()
		.setFullMethodName("test.v1.Failing/Fail")
		.build();

	private final Map<String, Supplier<RuntimeException>> thrown = Map.of("rich",
			() -> GrpcError.of(Status.Code.NOT_FOUND).reason("SKU_UNKNOWN").localized("sku.unknown", "SKU-7"), "mapped",
			() -> new IllegalStateException(SECRET), "advised", () -> new UnsupportedOperationException(SECRET),
			"status", () -> Status.ABORTED.withDescription("built").asRuntimeException(), "unknown",
			() -> new ArithmeticException(SECRET), "wrapped",
			() -> new CompletionException(new IllegalStateException(SECRET)), "broken", Broken::new);

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder("test.v1.Failing")
			.addMethod(FAIL, ServerCalls.asyncUnaryCall(this::fail))
			.build();
	}

	private void fail(String request, StreamObserver<String> observer) {
		int space = request.indexOf(' ');
		Supplier<RuntimeException> exception = this.thrown.get(request.substring(space + 1));
		switch (request.substring(0, space)) {
			case "throw" -> throw exception.get();
			case "onError" -> observer.onError(exception.get());
			default -> CompletableFuture.runAsync(() -> observer.onError(exception.get())).join();
		}
	}

	public static GrpcErrors call(Channel channel, String request) {
		StatusRuntimeException failure = (StatusRuntimeException) catchThrowable(
				() -> ClientCalls.blockingUnaryCall(channel, FAIL, CallOptions.DEFAULT, request));
		if ((failure.getStatus() + " " + failure.getTrailers() + GrpcErrors.from(failure).details())
			.contains("secret")) {
			throw new AssertionError("a secret got out", failure);
		}
		return GrpcErrors.from(failure);
	}

	/** Cannot be asked for its message. */
	private static final class Broken extends RuntimeException {

		@Override
		public String getMessage() {
			throw new IllegalStateException("unreadable");
		}

	}

}
