package io.github.grpcresilience.fleet;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Shop;

/**
 * A replica: answers with its name, drains on SIGTERM, and ends with its parent. A
 * request that is a number is worked on for as many milliseconds; a stream sends one
 * message and stays open.
 */
public final class FleetServer {

	static final String READY = "ready";

	private FleetServer() {
	}

	/**
	 * Serves.
	 * @param args name, host, port, limit of the drain and age of connections, both in
	 * milliseconds
	 */
	public static void main(String... args) throws Exception {
		String name = args[0];
		GrpcResilience resilience = GrpcResilience.builder()
			.server((server) -> server.drain(Duration.ZERO, Duration.ofMillis(Long.parseLong(args[3])))
				.maxConnectionAge(Duration.ofMillis(Long.parseLong(args[4]))))
			.build();
		NettyServerBuilder builder = NettyServerBuilder
			.forAddress(new InetSocketAddress(args[1], Integer.parseInt(args[2])));
		resilience.connections().configure(builder);
		builder.executor(Executors.newCachedThreadPool())
			.addService(new Shop().unary((request, observer) -> answer(name, request, observer))
				.serverStream((request, observer) -> observer.onNext(name)));
		resilience.protect(builder);
		Server server = builder.build().start();
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			resilience.drain().shutdown(server);
			resilience.close();
		}));
		System.out.println(READY);
		while (System.in.read() >= 0) {
			// nothing is written to it: its end is that of the parent
		}
		System.exit(0);
	}

	private static void answer(String name, String request, StreamObserver<String> observer) {
		long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(request));
		for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
			LockSupport.parkNanos(left);
		}
		Shop.echo(name, observer);
	}

}
