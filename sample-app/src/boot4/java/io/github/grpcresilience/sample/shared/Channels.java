package io.github.grpcresilience.sample.shared;

import io.grpc.Channel;
import org.springframework.grpc.client.GrpcChannelFactory;

/**
 * The channels of Spring Boot's own gRPC, by the names that the properties give them.
 */
public final class Channels {

	private final GrpcChannelFactory factory;

	Channels(GrpcChannelFactory factory) {
		this.factory = factory;
	}

	/**
	 * A channel to a service.
	 * @param name name of the client
	 * @return the channel; its owner closes it
	 */
	public Channel to(String name) {
		return this.factory.createChannel(name);
	}

}
