package io.github.grpcresilience;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import com.google.rpc.ErrorInfo;
import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Servers and clients over real Netty connections on loopback, ended in reverse order.
 */
public final class Loopback implements AutoCloseable {

	private final Deque<Runnable> open = new ArrayDeque<>();

	public GrpcResilience resilience(GrpcResilienceBuilder builder) {
		GrpcResilience resilience = builder.build();
		this.open.push(resilience::close);
		return resilience;
	}

	public Server serve(GrpcResilience resilience, BindableService service) {
		return serve(resilience, service, (builder) -> {
		});
	}

	public Server serve(GrpcResilience resilience, BindableService service, Consumer<ServerBuilder<?>> customizer) {
		Server server = servePlain(service, (builder) -> {
			customizer.accept(builder);
			resilience.protect(builder);
		});
		resilience.learn(server);
		return server;
	}

	/**
	 * Serves without protection, as a peer that does not have this library.
	 */
	public Server servePlain(BindableService service, Consumer<ServerBuilder<?>> customizer) {
		ServerBuilder<?> builder = NettyServerBuilder.forPort(0).addService(service);
		customizer.accept(builder);
		try {
			Server server = builder.build().start();
			end(server);
			return server;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	public ManagedChannel plainChannel(Server server) {
		return plainChannel(server.getPort());
	}

	public ManagedChannel plainChannel(int port) {
		ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", port).usePlaintext().build();
		end(channel);
		return channel;
	}

	public ManagedChannel channel(Server server, GrpcResilience resilience, String client) {
		return channel(server.getPort(), resilience, client);
	}

	public ManagedChannel channel(int port, GrpcResilience resilience, String client) {
		ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", port)
			.usePlaintext()
			.intercept(resilience.client(client))
			.build();
		end(channel);
		return channel;
	}

	/**
	 * Loads classes and connects, so that short deadlines measure the call alone.
	 */
	public static void warmUp(Channel channel) {
		call(channel, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), "warm");
	}

	public static String call(Channel channel, CallOptions options, String request) {
		return ClientCalls.blockingUnaryCall(channel, Shop.UNARY, options, request);
	}

	public static CallOptions within(long millis) {
		return CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
	}

	public static ErrorInfo errorInfo(Throwable thrown) {
		assertThat(thrown).isInstanceOfAny(StatusRuntimeException.class, StatusException.class);
		com.google.rpc.Status details = StatusProto.fromThrowable(thrown);
		assertThat(details).as("details of %s", thrown).isNotNull();
		assertThat(details.getDetailsList()).hasSize(1);
		try {
			return details.getDetails(0).unpack(ErrorInfo.class);
		}
		catch (com.google.protobuf.InvalidProtocolBufferException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static void terminated(Termination termination) {
		try {
			assertThat(termination.await(10, TimeUnit.SECONDS)).as("terminated").isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Ends a server with the rest.
	 */
	public void end(Server server) {
		this.open.push(() -> {
			server.shutdownNow();
			terminated(server::awaitTermination);
		});
	}

	/**
	 * Ends a channel with the rest.
	 */
	public void end(ManagedChannel channel) {
		this.open.push(() -> {
			channel.shutdownNow();
			terminated(channel::awaitTermination);
		});
	}

	@Override
	public void close() {
		while (!this.open.isEmpty()) {
			this.open.pop().run();
		}
	}

	@FunctionalInterface
	private interface Termination {

		boolean await(long timeout, TimeUnit unit) throws InterruptedException;

	}

}
