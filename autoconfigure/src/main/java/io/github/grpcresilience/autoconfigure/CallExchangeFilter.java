package io.github.grpcresilience.autoconfigure;

import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.client.reactive.ClientHttpRequest;
import org.springframework.util.ClassUtils;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import io.github.grpcresilience.cancel.http.CallExchange;
import io.github.grpcresilience.cancel.http.CallExchanges;

/**
 * Lets requests of WebClient end with the call in which they are subscribed to.
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
		return Mono.defer(() -> {
			CallExchange exchange;
			try {
				exchange = this.exchanges.begin();
			}
			catch (IOException ex) {
				return Mono.error(failure(request, ex));
			}
			return (exchange != null) ? exchange(exchange, request, next) : next.exchange(request);
		});
	}

	/**
	 * A stop completes what it stops, and the failure is put after it: an error would not
	 * cancel it. Once there is a response, its body says when the exchange ends.
	 */
	private static Mono<ClientResponse> exchange(CallExchange exchange, ClientRequest request, ExchangeFunction next) {
		Sinks.Empty<Void> stop = Sinks.empty();
		AtomicReference<@Nullable Executor> connection = new AtomicReference<>();
		exchange.stopWith(() -> {
			Executor thread = connection.get();
			((thread != null) ? thread : DIRECT).execute(stop::tryEmitEmpty);
		});
		AtomicBoolean answered = new AtomicBoolean();
		Runnable endUnlessAnswered = () -> {
			if (!answered.get()) {
				exchange.close();
			}
		};
		Mono<ClientResponse> failure = Mono
			.defer(() -> exchange.isStopped() ? Mono.error(failure(request, exchange.failure(null))) : Mono.empty());
		return Mono.defer(() -> next.exchange(noting(connection, withBudget(exchange, request))))
			.takeUntilOther(stop.asMono())
			.switchIfEmpty(failure)
			.map((response) -> {
				answered.set(true);
				return response.mutate()
					.body((body) -> guard(exchange, body.takeUntilOther(stop.asMono()), failure.cast(DataBuffer.class)))
					.build();
			})
			.doOnTerminate(endUnlessAnswered)
			.doOnCancel(endUnlessAnswered);
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

	private static Flux<DataBuffer> guard(CallExchange exchange, Flux<DataBuffer> body, Mono<DataBuffer> failure) {
		return body.concatWith(failure)
			.doOnDiscard(DataBuffer.class, DataBufferUtils::release)
			.doOnTerminate(exchange::close)
			.doOnCancel(exchange::close);
	}

	private static ClientRequest withBudget(CallExchange exchange, ClientRequest request) {
		String name = exchange.budget().name();
		if (request.headers().getFirst(name) != null) {
			return request;
		}
		return exchange.findBudget(request.url().getHost())
			.map((value) -> ClientRequest.from(request).header(name, value).build())
			.orElse(request);
	}

	private static WebClientRequestException failure(ClientRequest request, IOException cause) {
		return new WebClientRequestException(cause, request.method(), request.url(), request.headers());
	}

}
