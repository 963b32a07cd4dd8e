package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.util.ClassUtils;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.call.CallScope;
import io.github.grpcresilience.cancel.http.CallExchanges;

/**
 * Tells hosts how much time is left to the call in which requests of WebClient are
 * subscribed to, and lets requests that are disposed end without harm to others.
 */
final class CallExchangeFilter implements ExchangeFilterFunction {

	private static final boolean REACTOR_NETTY = ClassUtils.isPresent("reactor.netty.Connection",
			CallExchangeFilter.class.getClassLoader());

	private static final Executor DIRECT = Runnable::run;

	private final CallExchanges exchanges;

	CallExchangeFilter(CallExchanges exchanges) {
		this.exchanges = exchanges;
	}

	@Override
	public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
		return Mono.defer(() -> (CallScope.current() != null) ? exchange(request, next) : next.exchange(request));
	}

	/**
	 * Whoever waits for the response disposes it, and only that cancels the request: it
	 * may be in a chain that others wait for too.
	 */
	private Mono<ClientResponse> exchange(ClientRequest request, ExchangeFunction next) {
		AtomicReference<@Nullable Executor> connection = new AtomicReference<>();
		Scheduler thread = Schedulers.fromExecutor((cancel) -> {
			Executor own = connection.get();
			((own != null) ? own : DIRECT).execute(cancel);
		});
		return next.exchange(noting(connection, withBudget(request)))
			.cancelOn(thread)
			.map((response) -> response.mutate().body((body) -> body.cancelOn(thread)).build());
	}

	/**
	 * Reactor Netty closes the connection of a request that is cancelled on another
	 * thread than its own, even if the response has just ended and another request has
	 * taken the connection meanwhile. So whatever sends is cancelled where it works.
	 */
	private static ClientRequest noting(AtomicReference<@Nullable Executor> connection, ClientRequest request) {
		if (!REACTOR_NETTY) {
			return request;
		}
		Consumer<ClientHttpRequest> own = request.httpRequest();
		return ClientRequest.from(request).httpRequest((http) -> {
			ReactorNettyThreads.find(http).ifPresent(connection::set);
			if (own != null) {
				own.accept(http);
			}
		}).build();
	}

	private ClientRequest withBudget(ClientRequest request) {
		String name = this.exchanges.header().name();
		if (request.headers().getFirst(name) != null) {
			return request;
		}
		return this.exchanges.findBudget(request.url().getHost())
			.map((value) -> ClientRequest.from(request).header(name, value).build())
			.orElse(request);
	}

}
