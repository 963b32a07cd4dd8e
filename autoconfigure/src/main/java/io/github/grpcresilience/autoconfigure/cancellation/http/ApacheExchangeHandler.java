package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.io.IOException;

import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecChainHandler;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;

import io.github.grpcresilience.internal.cancel.http.CallExchange;

/**
 * Tells the exchange of a call how to stop a request of Apache's client, whose sockets no
 * interrupt reaches; and keeps the budget from hosts to which a redirect leads that are
 * not on the list.
 */
final class ApacheExchangeHandler implements ExecChainHandler {

	@Override
	public ClassicHttpResponse execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
			throws IOException, HttpException {
		CallExchange exchange = CallExchange.findCurrent().orElse(null);
		if (exchange != null) {
			if (scope.originalRequest instanceof Cancellable cancellable) {
				exchange.stopWith(cancellable::cancel);
			}
			removeLeak(exchange, request, scope.route.getTargetHost().getHostName());
		}
		return chain.proceed(request, scope);
	}

	private static void removeLeak(CallExchange exchange, ClassicHttpRequest request, String host) {
		String name = exchange.budget().name();
		Header header = request.getFirstHeader(name);
		if (header != null && exchange.isLeak(host, header.getValue())) {
			request.removeHeaders(name);
		}
	}

}
