package io.github.grpcresilience.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.concurrent.TimeUnit;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.InternalNettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.InternalNettyServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.testing.integration.AbstractInteropTest;
import io.grpc.testing.integration.Messages.ResponseParameters;
import io.grpc.testing.integration.Messages.StreamingOutputCallRequest;
import org.junit.AfterClass;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

import io.github.grpcresilience.GrpcResilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * What any gRPC client and server must be able to do, with this library on both sides and
 * policies for all that it does: deadlines, attempts, limits.
 */
@RunWith(JUnit4.class)
public class ProtectedInteropTests extends AbstractInteropTest {

	private static final String SERVICE = "grpc.testing.TestService";

	private static final GrpcResilience RESILIENCE = GrpcResilience.builder()
		.server((server) -> server.policy("interop",
				(policy) -> policy.methods(SERVICE).maxConcurrent(1_000).maxPerSecond(100_000)))
		.client((client) -> client.policy("interop",
				(policy) -> policy.methods(SERVICE).idempotent().retry((retry) -> retry.maxAttempts(3))))
		.build();

	/** The suite does not tell on which port its server listens. */
	private final int port = freePort();

	private static int freePort() {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@AfterClass
	public static void close() {
		RESILIENCE.close();
	}

	GrpcResilience resilience() {
		return RESILIENCE;
	}

	@Override
	protected ServerBuilder<?> getServerBuilder() {
		NettyServerBuilder builder = NettyServerBuilder.forPort(this.port)
			.flowControlWindow(AbstractInteropTest.TEST_FLOW_CONTROL_WINDOW)
			.maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE);
		InternalNettyServerBuilder.setStatsEnabled(builder, false);
		builder.addStreamTracerFactory(createCustomCensusTracerFactory());
		resilience().protect(builder);
		return builder;
	}

	@Override
	protected ManagedChannelBuilder<?> createChannelBuilder() {
		NettyChannelBuilder builder = NettyChannelBuilder.forAddress("localhost", this.port)
			.usePlaintext()
			.flowControlWindow(AbstractInteropTest.TEST_FLOW_CONTROL_WINDOW)
			.maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
			.intercept(resilience().client("interop"));
		// The suite looks at the measurements of its own interceptor.
		InternalNettyChannelBuilder.setStatsEnabled(builder, false);
		return builder.intercept(createCensusStatsClientInterceptor());
	}

	/**
	 * The suite expects the words of grpc-java's own timer; here the server answers
	 * before it, in its own.
	 */
	@Test
	@Override
	public void deadlineExceeded() {
		StreamingOutputCallRequest request = StreamingOutputCallRequest.newBuilder()
			.addResponseParameters(
					ResponseParameters.newBuilder().setIntervalUs((int) TimeUnit.SECONDS.toMicros(20)).setSize(1))
			.build();
		StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class,
				() -> this.blockingStub.withDeadlineAfter(700, TimeUnit.MILLISECONDS)
					.streamingOutputCall(request)
					.next());
		assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(failure).hasMessageContaining("deadline exceeded");
	}

}
