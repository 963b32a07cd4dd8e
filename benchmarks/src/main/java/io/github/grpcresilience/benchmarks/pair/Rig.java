package io.github.grpcresilience.benchmarks.pair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.benchmarks.variant.Calls;
import io.github.grpcresilience.benchmarks.variant.Echo;
import io.github.grpcresilience.benchmarks.variant.Held;
import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * A server and a channel with one variant between them.
 */
final class Rig implements AutoCloseable {

	private final Variant variant;

	private final Server server;

	private final ManagedChannel channel;

	private final Calls calls;

	Rig(String name, Transport transport, Variant variant, Executor executor) {
		this.variant = variant;
		ServerBuilder<?> serverBuilder = transport.server(name, executor)
			.addService(Echo.atOnce())
			.addService(new Held());
		variant.serve(serverBuilder);
		try {
			this.server = serverBuilder.build().start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		ManagedChannelBuilder<?> channelBuilder = transport.channel(name, this.server, executor);
		variant.dial(channelBuilder);
		this.channel = channelBuilder.build();
		this.calls = variant.calls(this.channel);
	}

	Calls calls() {
		return this.calls;
	}

	ManagedChannel channel() {
		return this.channel;
	}

	@Override
	public void close() {
		this.channel.shutdownNow();
		this.server.shutdownNow();
		try {
			this.channel.awaitTermination(5, TimeUnit.SECONDS);
			this.server.awaitTermination(5, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		this.variant.close();
	}

}
