package io.github.grpcresilience.benchmarks.floor;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls.UnaryMethod;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.benchmarks.variant.Echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * Tests for {@link Floor}: it is a floor only as long as it keeps the promises.
 */
class FloorTests {

	private static final byte[] REQUEST = { 7 };

	private final ExecutorService executor = Executors.newFixedThreadPool(4);

	private Floor floor;

	private Server server;

	private ManagedChannel channel;

	private void start(Floor floor, UnaryMethod<byte[], byte[]> handler) throws Exception {
		this.floor = floor;
		InProcessServerBuilder serverBuilder = InProcessServerBuilder.forName("floor")
			.executor(this.executor)
			.addService(new Echo(handler));
		floor.serve(serverBuilder);
		this.server = serverBuilder.build().start();
		InProcessChannelBuilder channelBuilder = InProcessChannelBuilder.forName("floor");
		floor.dial(channelBuilder);
		this.channel = channelBuilder.build();
	}

	@AfterEach
	void end() {
		this.channel.shutdownNow();
		this.server.shutdownNow();
		this.floor.close();
		this.executor.shutdownNow();
	}

	private byte[] call(long millis) {
		return ClientCalls.blockingUnaryCall(this.channel, Echo.UNARY,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), REQUEST);
	}

	@Test
	void answersBeforeTheDeadlineAndEndsTheContextWithItsCause() throws Exception {
		CompletableFuture<Throwable> cause = new CompletableFuture<>();
		CompletableFuture<Boolean> late = new CompletableFuture<>();
		start(Floor.both(), (request, observer) -> {
			Context.current().addListener((context) -> {
				cause.complete(context.cancellationCause());
				try {
					observer.onNext(request);
					observer.onCompleted();
					late.complete(true);
				}
				catch (RuntimeException ex) {
					late.completeExceptionally(ex);
				}
			}, Runnable::run);
		});
		StatusRuntimeException thrown = catchThrowableOfType(StatusRuntimeException.class, () -> call(730));
		assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(info(thrown).getMetadataMap()).containsEntry("method", Echo.UNARY.getFullMethodName());
		assertThat(cause.get(5, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
		assertThat(late.get(5, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void shortensTheDeadlineToWhatTheServerAllows() throws Exception {
		CompletableFuture<Long> left = new CompletableFuture<>();
		start(Floor.cap(), (request, observer) -> {
			left.complete(Context.current().getDeadline().timeRemaining(TimeUnit.MILLISECONDS));
			observer.onNext(request);
			observer.onCompleted();
		});
		assertThat(call(7300)).isEqualTo(REQUEST);
		assertThat(left.get(5, TimeUnit.SECONDS)).isBetween(1L, 2000L);
	}

	@Test
	void callsAgainWhatIsUnavailable() throws Exception {
		AtomicInteger calls = new AtomicInteger();
		start(Floor.retry(), (request, observer) -> {
			if (calls.incrementAndGet() < 3) {
				observer.onError(Status.UNAVAILABLE.asRuntimeException());
				return;
			}
			observer.onNext(request);
			observer.onCompleted();
		});
		assertThat(call(7300)).isEqualTo(REQUEST);
		assertThat(calls).hasValue(3);
	}

	private static ErrorInfo info(StatusRuntimeException thrown) throws InvalidProtocolBufferException {
		return StatusProto.fromThrowable(thrown).getDetails(0).unpack(ErrorInfo.class);
	}

}
