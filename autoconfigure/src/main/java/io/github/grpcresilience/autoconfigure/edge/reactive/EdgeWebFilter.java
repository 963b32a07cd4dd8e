package io.github.grpcresilience.autoconfigure.edge.reactive;

import java.util.concurrent.TimeoutException;

import org.reactivestreams.Subscriber;
import org.springframework.core.Ordered;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import org.springframework.web.util.DisconnectedClientHelper;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

import io.github.grpcresilience.autoconfigure.edge.EdgeRequest;
import io.github.grpcresilience.autoconfigure.edge.HttpEdge;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.CallEnd;
import io.github.grpcresilience.internal.cancel.context.CallScopeAccessor;
import io.github.grpcresilience.internal.deadline.ServedRequest;

/**
 * Gives each HTTP request its budget. A subscription that is cancelled says that the
 * client left, and so does a response that cannot be written.
 */
final class EdgeWebFilter implements WebFilter, Ordered {

	/** Attribute that holds the request as it is served. */
	static final String REQUEST = EdgeWebFilter.class.getName() + ".request";

	private final HttpEdge edge;

	private final EdgeExchange answers;

	EdgeWebFilter(HttpEdge edge, EdgeExchange answers) {
		this.edge = edge;
		this.answers = answers;
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
		if (isExempt(this.edge, exchange)) {
			return chain.filter(exchange);
		}
		return Mono.defer(() -> serve(exchange, chain));
	}

	static boolean isExempt(HttpEdge edge, ServerWebExchange exchange) {
		ServerHttpRequest request = exchange.getRequest();
		return edge.isExempt(request.getHeaders().getFirst(HttpHeaders.CONTENT_TYPE),
				() -> request.getPath().pathWithinApplication());
	}

	private Mono<Void> serve(ServerWebExchange exchange, WebFilterChain chain) {
		ServerHttpRequest request = exchange.getRequest();
		EdgeCommit commit = EdgeCommit.of(exchange.getResponse());
		EdgeRequest opened;
		try {
			opened = this.edge.open((name) -> request.getHeaders().getFirst(name), request.getMethod().name(),
					request.getPath().value(), commit::isWriting);
		}
		catch (GrpcError ex) {
			return this.answers.write(ex, null, exchange);
		}
		exchange.getAttributes().put(REQUEST, opened);
		ServedRequest served = opened.served();
		ServerWebExchange scoped = new EdgeServedExchange(exchange,
				(opened.budget() != null) ? commit : exchange.getResponse(), served.scope());
		Mono<Void> chained = Mono.defer(() -> chain.filter(scoped))
			.contextWrite((context) -> context.put(CallScopeAccessor.KEY, served.scope()));
		// It cancels the chain, which a publisher that ends with an error would not.
		return Mono.<Void>from((subscriber) -> subscribe(chained, subscriber, served.scope()))
			.timeout(endOfBudget(served, commit), Mono.error(() -> failure(served)))
			.doOnError((failure) -> end(served, DisconnectedClientHelper.isClientDisconnectedException(failure)))
			.doFinally((signal) -> end(served, signal == SignalType.CANCEL));
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
	 * Completes when the budget is over, unless there is an answer that was not committed
	 * in time.
	 */
	private Mono<Void> endOfBudget(ServedRequest served, EdgeCommit commit) {
		return Mono.create((sink) -> {
			CallRecord.Registration registration = served.record().listen((ended) -> {
				if (commit.end()) {
					this.edge.execute(sink::success);
				}
			});
			sink.onDispose(registration::close);
		});
	}

	private static Throwable failure(ServedRequest served) {
		return CallEnd.failure(served.record(), "request", new TimeoutException("the budget of the request is over"));
	}

	/**
	 * Called before the failure is answered, and when everything is over.
	 */
	private static void end(ServedRequest served, boolean left) {
		if (left) {
			served.leave();
		}
		else {
			served.end();
		}
	}

}
