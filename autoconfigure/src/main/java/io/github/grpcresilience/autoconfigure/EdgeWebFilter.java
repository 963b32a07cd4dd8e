package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.TimeoutException;

import org.reactivestreams.Subscriber;
import org.springframework.core.Ordered;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import org.springframework.web.util.DisconnectedClientHelper;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

import io.github.grpcresilience.call.CallRecord;
import io.github.grpcresilience.call.CallScope;
import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.context.CallScopeAccessor;
import io.github.grpcresilience.deadline.ServedRequest;
import io.github.grpcresilience.error.GrpcError;

/**
 * Gives each HTTP request its budget. A subscription that is cancelled says that the
 * client left, and so does a response that cannot be written.
 */
final class EdgeWebFilter implements WebFilter, Ordered {

	/** Attribute that holds the request as it is served; absent if it has no budget. */
	static final String REQUEST = EdgeWebFilter.class.getName() + ".request";

	private final HttpEdge edge;

	private final EdgeExchange refusals;

	EdgeWebFilter(HttpEdge edge, EdgeExchange refusals) {
		this.edge = edge;
		this.refusals = refusals;
	}

	/**
	 * Outside of sessions and security, whose work counts.
	 */
	@Override
	public int getOrder() {
		return Ordered.HIGHEST_PRECEDENCE + 10;
	}

	@Override
	public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
		if (this.edge.isExempt(() -> exchange.getRequest().getPath().pathWithinApplication())) {
			return chain.filter(exchange);
		}
		return Mono.defer(() -> serve(exchange, chain));
	}

	private Mono<Void> serve(ServerWebExchange exchange, WebFilterChain chain) {
		ServedRequest served;
		try {
			served = this.edge.open((name) -> exchange.getRequest().getHeaders().getFirst(name));
		}
		catch (GrpcError ex) {
			return this.refusals.write(this.edge.answer(ex, null, exchange.getRequest().getPath().value()), exchange);
		}
		exchange.getAttributes().put(REQUEST, served);
		ServerWebExchange scoped = exchange.mutate()
			.request(new EdgeBody(exchange.getRequest(), served.scope()))
			.build();
		Mono<Void> chained = Mono.defer(() -> chain.filter(scoped))
			.contextWrite((context) -> context.put(CallScopeAccessor.KEY, served.scope()));
		// It cancels the chain, which a publisher that ends with an error would not.
		return Mono.<Void>from((subscriber) -> subscribe(chained, subscriber, served.scope()))
			.timeout(endOfBudget(served), Mono.error(() -> failure(served)))
			.doOnError(DisconnectedClientHelper::isClientDisconnectedException, (failure) -> served.leave())
			.doFinally((signal) -> end(served, signal));
	}

	/**
	 * What the handlers do on this thread belongs to the request.
	 */
	private static void subscribe(Mono<Void> chain, Subscriber<? super Void> subscriber, CallScope scope) {
		CallScope outer = scope.enter();
		try {
			chain.subscribe(subscriber);
		}
		finally {
			CallScope.leave(outer);
		}
	}

	/**
	 * Completes when the budget is over.
	 */
	private Mono<Void> endOfBudget(ServedRequest served) {
		return Mono.create((sink) -> {
			CallRecord.Registration registration = served.record().listen((ended) -> this.edge.execute(sink::success));
			sink.onDispose(registration::close);
		});
	}

	private static Throwable failure(ServedRequest served) {
		return CallEnd.failure(served.record(), "request", new TimeoutException("the budget of the request is over"));
	}

	private static void end(ServedRequest served, SignalType signal) {
		if (signal == SignalType.CANCEL) {
			served.leave();
		}
		else {
			served.end();
		}
	}

}
