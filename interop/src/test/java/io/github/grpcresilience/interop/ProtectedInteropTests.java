package io.github.grpcresilience.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import io.github.grpcresilience.policy.AdmissionSettings;
import io.github.grpcresilience.policy.AttemptSettings;
import io.github.grpcresilience.policy.Origin;
import io.github.grpcresilience.policy.PolicyDefinition;
import io.github.grpcresilience.policy.PolicyLayer;
import io.github.grpcresilience.policy.Setting;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.policy.Side;

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
		.policies(policies(Side.SERVER,
				Map.of(AdmissionSettings.MAX_CONCURRENT, 1_000, AdmissionSettings.MAX_PER_SECOND, 100_000.0)))
		.policies(
				policies(Side.CLIENT, Map.of(AttemptSettings.IDEMPOTENT, true, AttemptSettings.RETRY_MAX_ATTEMPTS, 3)))
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

	private static PolicyDefinition policies(Side side, Map<SettingKey<?>, Object> policy) {
		return new PolicyDefinition(side, "test", Map.of(),
				List.of(new PolicyLayer(setting("interop"), List.of(setting(SERVICE)), List.of(), settings(policy))),
				List.of());
	}

	private static Map<SettingKey<?>, Setting<?>> settings(Map<SettingKey<?>, Object> values) {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
		values.forEach((key, value) -> settings.put(key, setting(value)));
		return settings;
	}

	private static <T> Setting<T> setting(T value) {
		return new Setting<>(value, new Origin("test", "test"));
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
