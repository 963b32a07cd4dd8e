package io.github.grpcresilience.benchmarks.peer;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;

import com.google.api.gax.grpc.GrpcCallContext;
import com.google.api.gax.grpc.GrpcCallSettings;
import com.google.api.gax.grpc.GrpcCallableFactory;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.retrying.RetrySettings;
import com.google.api.gax.rpc.ClientContext;
import com.google.api.gax.rpc.ServerStreamingCallSettings;
import com.google.api.gax.rpc.ServerStreamingCallable;
import com.google.api.gax.rpc.StatusCode;
import com.google.api.gax.rpc.UnaryCallSettings;
import com.google.api.gax.rpc.UnaryCallable;
import io.grpc.ManagedChannel;

import io.github.grpcresilience.benchmarks.variant.Calls;
import io.github.grpcresilience.benchmarks.variant.Echo;
import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * Callables of Google's client libraries, with a deadline and retries.
 */
public final class Gax implements Variant {

	private static final Set<StatusCode.Code> RETRYABLE = Set.of(StatusCode.Code.UNAVAILABLE);

	private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(2);

	/**
	 * Creates the variant.
	 */
	public Gax() {
		this.executor.setRemoveOnCancelPolicy(true);
	}

	@Override
	public Calls calls(ManagedChannel channel) {
		RetrySettings retry = RetrySettings.newBuilder()
			.setInitialRetryDelayDuration(Duration.ofMillis(50))
			.setMaxRetryDelayDuration(Duration.ofSeconds(1))
			.setRetryDelayMultiplier(2)
			.setInitialRpcTimeoutDuration(Duration.ofSeconds(5))
			.setMaxRpcTimeoutDuration(Duration.ofSeconds(5))
			.setTotalTimeoutDuration(Duration.ofSeconds(5))
			.setMaxAttempts(3)
			.build();
		ClientContext context = context(channel);
		UnaryCallSettings<byte[], byte[]> unary = UnaryCallSettings.<byte[], byte[]>newUnaryCallSettingsBuilder()
			.setRetryableCodes(RETRYABLE)
			.setRetrySettings(retry)
			.build();
		ServerStreamingCallSettings<byte[], byte[]> stream = ServerStreamingCallSettings.<byte[], byte[]>newBuilder()
			.setRetryableCodes(RETRYABLE)
			.setRetrySettings(retry)
			.build();
		return new Callables(
				GrpcCallableFactory.createUnaryCallable(GrpcCallSettings.create(Echo.UNARY), unary, context),
				GrpcCallableFactory.createServerStreamingCallable(GrpcCallSettings.create(Echo.STREAM), stream,
						context));
	}

	private ClientContext context(ManagedChannel channel) {
		return ClientContext.newBuilder()
			.setExecutor(this.executor)
			.setTransportChannel(GrpcTransportChannel.create(channel))
			.setDefaultCallContext(GrpcCallContext.createDefault().withChannel(channel))
			.build();
	}

	@Override
	public void close() {
		this.executor.shutdownNow();
	}

	private record Callables(UnaryCallable<byte[], byte[]> unary,
			ServerStreamingCallable<byte[], byte[]> stream) implements Calls {

		@Override
		public byte[] unary(byte[] request) {
			return this.unary.call(request);
		}

		@Override
		public int stream(byte[] request) {
			int count = 0;
			for (byte[] answer : this.stream.call(request)) {
				count += (answer.length > 0) ? 1 : 0;
			}
			return count;
		}

	}

}
