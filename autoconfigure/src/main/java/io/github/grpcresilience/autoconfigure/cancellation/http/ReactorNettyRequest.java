package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.Connection;
import reactor.netty.http.client.HttpClient;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Where one request is cancelled. Reactor Netty closes the connection of a request that
 * is cancelled on another thread than the connection's own, even if the response has just
 * ended and another request has taken the connection meanwhile. So a request is cancelled
 * on that thread, or before there is one. Safe for concurrent use.
 */
final class ReactorNettyRequest {

	/** What Spring's response holds, and tells nobody. */
	private static final String CONNECTION = "connection";

	private static final Executor DIRECT = Runnable::run;

	/** Null before there is a connection; direct if it was cancelled before. */
	private final AtomicReference<@Nullable Executor> thread = new AtomicReference<>();

	private final Scheduler scheduler = Schedulers.fromExecutor(this::cancel);

	private ReactorNettyRequest() {
	}

	/**
	 * Lets requests of a client be cancelled without harm to others, if they are sent in
	 * calls.
	 */
	static HttpClient guard(HttpClient client) {
		return client.doOnRequest((request, connection) -> {
			ReactorNettyRequest sent = request.currentContextView().getOrDefault(ReactorNettyRequest.class, null);
			if (sent != null) {
				sent.sentOn(connection);
			}
		}).mapConnect((connect) -> Mono.defer(() -> (CallScope.current() != null) ? guarded(connect) : connect));
	}

	private static Mono<Connection> guarded(Mono<? extends Connection> connect) {
		ReactorNettyRequest request = new ReactorNettyRequest();
		return connect.<Connection>cast(Connection.class)
			.contextWrite((context) -> context.put(ReactorNettyRequest.class, request))
			.cancelOn(request.scheduler);
	}

	/**
	 * Lets one request of WebClient be cancelled without harm to others, whatever sends
	 * it.
	 */
	static Mono<ClientResponse> exchange(ClientRequest request, ExchangeFunction next) {
		ReactorNettyRequest sent = new ReactorNettyRequest();
		return next.exchange(sent.noting(request))
			.cancelOn(sent.scheduler)
			.map((response) -> response.mutate().body((body) -> body.cancelOn(sent.scheduler)).build());
	}

	private ClientRequest noting(ClientRequest request) {
		Consumer<ClientHttpRequest> own = request.httpRequest();
		return ClientRequest.from(request).httpRequest((http) -> {
			if (http.getNativeRequest() instanceof Connection connection) {
				sentOn(connection);
			}
			if (own != null) {
				own.accept(http);
			}
		}).build();
	}

	/**
	 * Called on the connection's thread, again for each redirect.
	 */
	private void sentOn(Connection connection) {
		Executor own = connection.channel().eventLoop();
		if (this.thread.updateAndGet((known) -> (known != DIRECT) ? own : known) == DIRECT) {
			connection.dispose();
		}
	}

	private void cancel(Runnable cancel) {
		Executor known = this.thread.compareAndExchange(null, DIRECT);
		((known != null) ? known : DIRECT).execute(cancel);
	}

	/**
	 * The thread of the connection on which a response comes.
	 * @return its event loop; the current thread if that cannot be told, or if the
	 * connection is gone
	 */
	static Executor threadOf(ClientHttpResponse response) {
		DirectFieldAccessor fields = new DirectFieldAccessor(response);
		return (fields.isReadableProperty(CONNECTION)
				&& fields.getPropertyValue(CONNECTION) instanceof Connection connection) ? threadOf(connection)
						: DIRECT;
	}

	private static Executor threadOf(Connection connection) {
		Channel channel = connection.channel();
		return channel.isRegistered() ? channel.eventLoop() : DIRECT;
	}

}
