package io.github.grpcresilience.benchmarks.pair;

import java.util.concurrent.Executor;

import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;

/**
 * How calls come from a client to a server.
 */
enum Transport {

	/**
	 * In one process, on the thread of the caller: nothing but the code of a call, so
	 * that ratios are as large as they get.
	 */
	DIRECT(1) {

		@Override
		ServerBuilder<?> server(String name, Executor executor) {
			return InProcessServerBuilder.forName(name).directExecutor();
		}

		@Override
		ManagedChannelBuilder<?> channel(String name, Server server, Executor executor) {
			return InProcessChannelBuilder.forName(name).directExecutor();
		}

	},

	/** In one process, handlers on the threads of a pool, as services have them. */
	POOL(2) {

		@Override
		ServerBuilder<?> server(String name, Executor executor) {
			return InProcessServerBuilder.forName(name).executor(executor);
		}

		@Override
		ManagedChannelBuilder<?> channel(String name, Server server, Executor executor) {
			return InProcessChannelBuilder.forName(name).executor(executor);
		}

	},

	/** Over a connection on loopback, handlers on the threads of a pool. */
	NETTY(2) {

		@Override
		ServerBuilder<?> server(String name, Executor executor) {
			return NettyServerBuilder.forPort(0).executor(executor);
		}

		@Override
		ManagedChannelBuilder<?> channel(String name, Server server, Executor executor) {
			return NettyChannelBuilder.forAddress("localhost", server.getPort()).usePlaintext().executor(executor);
		}

	};

	private final int weight;

	Transport(int weight) {
		this.weight = weight;
	}

	/**
	 * Calls of a batch, of which there are fewer where they take long, for the sake of
	 * more batches.
	 */
	int callsPerBatch(int wanted) {
		return Math.max(1, wanted / this.weight);
	}

	abstract ServerBuilder<?> server(String name, Executor executor);

	abstract ManagedChannelBuilder<?> channel(String name, Server server, Executor executor);

}
