package io.github.grpcresilience.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.testing.integration.AbstractInteropTest;
import org.junit.AfterClass;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

import io.github.grpcresilience.GrpcResilience;

/**
 * What any gRPC client and server must be able to do, with this library on both sides and
 * policies that change nothing of it.
 */
@RunWith(JUnit4.class)
public class ProtectedInteropTests extends AbstractInteropTest {

	private static final GrpcResilience RESILIENCE = GrpcResilience.builder().build();

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

	@Override
	protected ServerBuilder<?> getServerBuilder() {
		NettyServerBuilder builder = NettyServerBuilder.forPort(this.port)
			.flowControlWindow(AbstractInteropTest.TEST_FLOW_CONTROL_WINDOW)
			.maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE);
		RESILIENCE.protect(builder);
		return builder;
	}

	@Override
	protected ManagedChannelBuilder<?> createChannelBuilder() {
		return NettyChannelBuilder.forAddress("localhost", this.port)
			.usePlaintext()
			.flowControlWindow(AbstractInteropTest.TEST_FLOW_CONTROL_WINDOW)
			.maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
			.intercept(RESILIENCE.client("interop"));
	}

}
