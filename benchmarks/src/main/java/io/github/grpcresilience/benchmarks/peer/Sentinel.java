package io.github.grpcresilience.benchmarks.peer;

import java.util.ArrayList;
import java.util.List;

import com.alibaba.csp.sentinel.adapter.grpc.SentinelGrpcClientInterceptor;
import com.alibaba.csp.sentinel.adapter.grpc.SentinelGrpcServerInterceptor;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRule;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRuleManager;
import com.alibaba.csp.sentinel.slots.block.flow.FlowRule;
import com.alibaba.csp.sentinel.slots.block.flow.FlowRuleManager;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.benchmarks.variant.Echo;
import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * Sentinel's interceptors on both sides, with a limit and a circuit breaker for each
 * method.
 */
public final class Sentinel implements Variant {

	private static final int NEVER = 1_000_000_000;

	/**
	 * Loads its rules.
	 */
	public Sentinel() {
		// It logs into the user's home otherwise.
		System.setProperty("csp.sentinel.log.dir", System.getProperty("java.io.tmpdir"));
		List<FlowRule> limits = new ArrayList<>();
		List<DegradeRule> breakers = new ArrayList<>();
		for (String method : List.of(Echo.UNARY.getFullMethodName(), Echo.STREAM.getFullMethodName())) {
			limits.add(new FlowRule(method).setCount(NEVER));
			breakers.add(new DegradeRule(method).setCount(NEVER).setTimeWindow(1));
		}
		FlowRuleManager.loadRules(limits);
		DegradeRuleManager.loadRules(breakers);
	}

	@Override
	public void serve(ServerBuilder<?> server) {
		server.intercept(new SentinelGrpcServerInterceptor());
	}

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		channel.intercept(new SentinelGrpcClientInterceptor());
	}

}
