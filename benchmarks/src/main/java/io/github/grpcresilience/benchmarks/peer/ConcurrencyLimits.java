package io.github.grpcresilience.benchmarks.peer;

import com.netflix.concurrency.limits.grpc.client.ConcurrencyLimitClientInterceptor;
import com.netflix.concurrency.limits.grpc.client.GrpcClientLimiterBuilder;
import com.netflix.concurrency.limits.grpc.server.ConcurrencyLimitServerInterceptor;
import com.netflix.concurrency.limits.grpc.server.GrpcServerLimiterBuilder;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * Adaptive limits of Netflix on both sides.
 */
public final class ConcurrencyLimits implements Variant {

	@Override
	public void serve(ServerBuilder<?> server) {
		server.intercept(
				ConcurrencyLimitServerInterceptor.newBuilder(new GrpcServerLimiterBuilder().limit(limit()).build())
					.build());
	}

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		channel.intercept(new ConcurrencyLimitClientInterceptor(new GrpcClientLimiterBuilder().limit(limit()).build()));
	}

	/** It measures, and never refuses what the benchmarks do. */
	private static Gradient2Limit limit() {
		return Gradient2Limit.newBuilder().initialLimit(100).minLimit(100).build();
	}

}
