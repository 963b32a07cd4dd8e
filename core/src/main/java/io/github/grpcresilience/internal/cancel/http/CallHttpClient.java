package io.github.grpcresilience.internal.cancel.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

import org.jspecify.annotations.Nullable;

/**
 * A client of the JDK whose exchanges end with the call that they are made for. Outside
 * of a call it hands on to the client that it wraps. Immutable, safe for concurrent use.
 */
final class CallHttpClient extends HttpClient {

	private final HttpClient delegate;

	private final CallExchanges exchanges;

	CallHttpClient(HttpClient delegate, CallExchanges exchanges) {
		this.delegate = delegate;
		this.exchanges = exchanges;
	}

	@Override
	public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
			throws IOException, InterruptedException {
		CallExchange exchange = this.exchanges.begin();
		if (exchange == null) {
			return this.delegate.send(request, handler);
		}
		CompletableFuture<HttpResponse<T>> sent = start(exchange, request, handler, null);
		try {
			return sent.get();
		}
		catch (InterruptedException ex) {
			sent.cancel(true);
			throw ex;
		}
		catch (ExecutionException ex) {
			throw thrown(exchange.explain(unwrap(ex)));
		}
		catch (CancellationException ex) {
			throw thrown(exchange.explain(ex));
		}
	}

	private static IOException thrown(Throwable cause) {
		if (cause instanceof RuntimeException unchecked) {
			throw unchecked;
		}
		if (cause instanceof Error error) {
			throw error;
		}
		return (cause instanceof IOException checked) ? checked : new IOException(cause.getMessage(), cause);
	}

	@Override
	public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
		return sendAsync(request, handler, null);
	}

	@Override
	public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler,
			@Nullable PushPromiseHandler<T> pushes) {
		CallExchange exchange;
		try {
			exchange = this.exchanges.begin();
		}
		catch (IOException ex) {
			return CompletableFuture.failedFuture(ex);
		}
		if (exchange == null) {
			return this.delegate.sendAsync(request, handler, pushes);
		}
		// Derived, not new: cancelling it then cancels the exchange (HttpClient,
		// "cancel").
		return start(exchange, request, handler, pushes).handle((response, thrown) -> {
			if (thrown != null) {
				Throwable explained = exchange.explain(unwrap(thrown));
				exchange.close(); // before anybody hears of the failure
				throw new CompletionException(explained);
			}
			return response;
		});
	}

	private <T> CompletableFuture<HttpResponse<T>> start(CallExchange exchange, HttpRequest request,
			BodyHandler<T> handler, @Nullable PushPromiseHandler<T> pushes) {
		AtomicReference<Phase> phase = new AtomicReference<>(Phase.WAITING);
		CompletableFuture<HttpResponse<T>> sent;
		try {
			sent = this.delegate.sendAsync(withBudget(exchange, request), (info) -> {
				if (phase.compareAndExchange(Phase.WAITING, Phase.ANSWERED) == Phase.CANCELLED) {
					// Not a response that ends well: its connection would be used again.
					throw new UncheckedIOException(exchange.failure(null));
				}
				boolean ownConnection = info.version() == Version.HTTP_1_1;
				GuardedBody<T> body = new GuardedBody<>(handler.apply(info), exchange, ownConnection);
				exchange.stopWith(body::stop);
				return body;
			}, pushes);
		}
		catch (RuntimeException | Error ex) {
			exchange.close();
			throw ex;
		}
		// A stage of its own, which nobody cancels. Success leaves the body to come.
		CompletableFuture<?> unused = sent.whenComplete((response, thrown) -> {
			if (thrown != null) {
				exchange.close();
			}
		});
		exchange.stopWith(() -> {
			if (phase.compareAndSet(Phase.WAITING, Phase.CANCELLED)) {
				sent.cancel(true);
			}
		});
		return sent;
	}

	/**
	 * The JDK's client closes the connection of an HTTP/1.1 exchange that it is told to
	 * cancel, even if the response has just ended and another exchange has taken the
	 * connection meanwhile. So it is told only before there is a response, and from then
	 * on the body is stopped.
	 */
	private enum Phase {

		WAITING, ANSWERED, CANCELLED

	}

	private static HttpRequest withBudget(CallExchange exchange, HttpRequest request) {
		String name = exchange.budget().name();
		if (request.headers().firstValue(name).isPresent()) {
			return request;
		}
		return exchange.findBudget(request.uri().getHost())
			.map((value) -> HttpRequest.newBuilder(request, (header, any) -> true).header(name, value).build())
			.orElse(request);
	}

	private static Throwable unwrap(Throwable thrown) {
		Throwable cause = thrown.getCause();
		boolean wrapper = thrown instanceof CompletionException || thrown instanceof ExecutionException;
		return (wrapper && cause != null) ? cause : thrown;
	}

	@Override
	public WebSocket.Builder newWebSocketBuilder() {
		return this.delegate.newWebSocketBuilder();
	}

	@Override
	public Optional<CookieHandler> cookieHandler() {
		return this.delegate.cookieHandler();
	}

	@Override
	public Optional<Duration> connectTimeout() {
		return this.delegate.connectTimeout();
	}

	@Override
	public Redirect followRedirects() {
		return this.delegate.followRedirects();
	}

	@Override
	public Optional<ProxySelector> proxy() {
		return this.delegate.proxy();
	}

	@Override
	public SSLContext sslContext() {
		return this.delegate.sslContext();
	}

	@Override
	public SSLParameters sslParameters() {
		return this.delegate.sslParameters();
	}

	@Override
	public Optional<Authenticator> authenticator() {
		return this.delegate.authenticator();
	}

	@Override
	public Version version() {
		return this.delegate.version();
	}

	@Override
	public Optional<Executor> executor() {
		return this.delegate.executor();
	}

}
