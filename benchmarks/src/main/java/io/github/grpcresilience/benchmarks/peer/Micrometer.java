package io.github.grpcresilience.benchmarks.peer;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.micrometer.core.instrument.binder.grpc.ObservationGrpcClientInterceptor;
import io.micrometer.core.instrument.binder.grpc.ObservationGrpcServerInterceptor;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;

import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * Micrometer's observations on both sides, made into meters.
 */
public final class Micrometer implements Variant {

	private final ObservationRegistry observations = ObservationRegistry.create();

	/**
	 * Creates the variant.
	 */
	public Micrometer() {
		this.observations.observationConfig()
			.observationHandler(new DefaultMeterObservationHandler(new SimpleMeterRegistry()));
	}

	@Override
	public void serve(ServerBuilder<?> server) {
		server.intercept(new ObservationGrpcServerInterceptor(this.observations));
	}

	@Override
	public void dial(ManagedChannelBuilder<?> channel) {
		channel.intercept(new ObservationGrpcClientInterceptor(this.observations));
	}

}
