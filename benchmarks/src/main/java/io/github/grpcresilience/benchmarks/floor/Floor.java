package io.github.grpcresilience.benchmarks.floor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * Interceptors by hand: answers before the deadline that say why, nothing sent after the
 * answer, and a Context that ends with the call, its cause told.
 */
public final class Floor implements Variant {

	private static final long UNLIMITED = Long.MAX_VALUE;

	private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);

	private final ExecutorService executor = Executors.newFixedThreadPool(2);

	private final Watch watch = new Watch(this.executor);

	private final boolean onServer;

	private final long maxNanos;

	private final List<ClientInterceptor> ofClient = new ArrayList<>();

	private Floor(boolean onServer, long maxNanos, boolean onClient, boolean retry) {
		this.timer.setRemoveOnCancelPolicy(true);
		this.onServer = onServer;
		this.maxNanos = maxNanos;
		if (retry) {
			this.ofClient.add(new FloorRetryInterceptor(this.timer));
		}
		if (onClient) {
			this.ofClient.add(new FloorClientInterceptor());
		}
	}

	/**
	 * Deadlines on both sides.
	 * @return the variant
	 */
	public static Floor both() {
		return new Floor(true, UNLIMITED, true, false);
	}

	/**
	 * Deadlines where calls are served.
	 * @return the variant
	 */
	public static Floor server() {
		return new Floor(true, UNLIMITED, false, false);
	}

	/**
	 * Deadlines where calls are made.
	 * @return the variant
	 */
	public static Floor client() {
		return new Floor(false, UNLIMITED, true, false);
	}

	/**
	 * Both, and a server that allows calls less than their callers do.
	 * @return the variant
	 */
	public static Floor cap() {
		return new Floor(true, TimeUnit.SECONDS.toNanos(2), true, false);
	}

	/**
	 * Both, and up to three attempts.
	 * @return the variant
	 */
	public static Floor retry() {
		return new Floor(true, UNLIMITED, true, true);
	}

	@Override
	public void serve(ServerBuilder<?> server) {
		if (this.onServer) {
			server.intercept(new FloorServerInterceptor(this.watch, this.maxNanos));
		}
	}

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		channel.intercept(this.ofClient);
	}

	@Override
	public void close() {
		this.watch.close();
		this.timer.shutdownNow();
		this.executor.shutdownNow();
	}

}
