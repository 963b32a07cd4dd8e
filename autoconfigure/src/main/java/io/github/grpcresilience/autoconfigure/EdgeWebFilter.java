package io.github.grpcresilience.autoconfigure;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import org.springframework.core.Ordered;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import org.springframework.web.util.DisconnectedClientHelper;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.context.GrpcContextAccessor;
import io.github.grpcresilience.deadline.ServedRequest;
import io.github.grpcresilience.error.GrpcError;

/**
 * Gives each HTTP request its budget. A subscription that is cancelled says that the
 * client left, and so does a response that cannot be written.
 */
final class EdgeWebFilter implements WebFilter, Ordered {

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
			return this.refusals.write(this.edge.answer(ex, exchange.getRequest().getPath().value()), exchange);
		}
		return Mono.defer(() -> chain.filter(exchange))
			.contextWrite((context) -> context.put(GrpcContextAccessor.KEY, served.context()))
			.takeUntilOther(endOfBudget(served.context()))
			.doOnError(DisconnectedClientHelper::isClientDisconnectedException, (failure) -> served.leave())
			.doFinally((signal) -> end(served, signal));
	}

	/**
	 * An error when the budget is over. What is subscribed to in the request ends then by
	 * itself, but a chain that waits for nothing of ours would not be told.
	 */
	private static Mono<Void> endOfBudget(Context context) {
		return Mono.create((sink) -> {
			CancellationListener listener = (ended) -> sink
				.error(CallEnd.failure(context, "request", context.cancellationCause()));
			sink.onDispose(() -> context.removeListener(listener));
			context.addListener(listener, Runnable::run);
		});
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
