package io.github.grpcresilience.autoconfigure;

import java.util.Optional;
import java.util.concurrent.Executor;

import org.springframework.http.client.reactive.ClientHttpRequest;
import reactor.netty.Connection;

/**
 * Finds the thread that works on a request of Reactor Netty.
 */
final class ReactorNettyThreads {

	private ReactorNettyThreads() {
	}

	/**
	 * The thread of the connection on which a request is sent.
	 * @return its event loop; empty if another library sends it
	 */
	static Optional<Executor> find(ClientHttpRequest request) {
		return (request.getNativeRequest() instanceof Connection connection)
				? Optional.of(connection.channel().eventLoop()) : Optional.empty();
	}

}
