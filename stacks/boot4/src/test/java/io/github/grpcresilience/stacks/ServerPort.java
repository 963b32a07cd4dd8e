package io.github.grpcresilience.stacks;

import org.springframework.context.ApplicationListener;
import org.springframework.grpc.server.lifecycle.GrpcServerStartedEvent;

/**
 * The port that the server of an application listens on.
 */
class ServerPort implements ApplicationListener<GrpcServerStartedEvent> {

	private int port;

	@Override
	public void onApplicationEvent(GrpcServerStartedEvent event) {
		this.port = Math.max(this.port, event.getPort());
	}

	int port() {
		return this.port;
	}

}
