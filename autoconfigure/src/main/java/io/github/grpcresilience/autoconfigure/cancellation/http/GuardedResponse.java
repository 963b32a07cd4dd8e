package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.util.StreamUtils;

import io.github.grpcresilience.internal.cancel.http.CallExchange;

/**
 * A response whose body ends with its call. Confined to one thread.
 */
final class GuardedResponse implements ClientHttpResponse {

	private static final String REACTOR = "org.springframework.http.client.ReactorClientHttpResponse";

	/**
	 * Responses whose bodies may be closed by another thread than the one that reads
	 * them. Apache's must not: closing one reads the rest of it. HttpURLConnection's wait
	 * for the reader.
	 */
	private static final Set<String> CLOSABLE = Set.of("org.springframework.http.client.JdkClientHttpResponse",
			"org.springframework.http.client.JettyClientHttpResponse", REACTOR);

	private static final int CLOSE_ATTEMPTS = 100;

	private final ClientHttpResponse delegate;

	private final CallExchange exchange;

	/** Null before it is asked for. */
	private @Nullable InputStream body;

	GuardedResponse(ClientHttpResponse delegate, CallExchange exchange) {
		this.delegate = delegate;
		this.exchange = exchange;
	}

	@Override
	public HttpStatusCode getStatusCode() throws IOException {
		return this.delegate.getStatusCode();
	}

	@Override
	public String getStatusText() throws IOException {
		return this.delegate.getStatusText();
	}

	@Override
	public HttpHeaders getHeaders() {
		return this.delegate.getHeaders();
	}

	@Override
	public InputStream getBody() throws IOException {
		if (this.body == null) {
			InputStream unguarded = this.delegate.getBody();
			if (isReactor()) {
				this.exchange.stopWith(() -> closeFromOutside(unguarded, ReactorNettyRequest.threadOf(this.delegate)));
				this.body = this.exchange.guard(new StoppedElsewhere(unguarded));
				return this.body;
			}
			if (isClosable()) {
				this.exchange.stopWith(() -> closeFromOutside(unguarded, Runnable::run));
			}
			this.body = this.exchange.guard(unguarded);
		}
		return this.body;
	}

	private boolean isClosable() {
		return CLOSABLE.contains(this.delegate.getClass().getName());
	}

	private boolean isReactor() {
		return this.delegate.getClass().getName().equals(REACTOR);
	}

	/**
	 * Clients read what is left of a body when a response is closed, so that its
	 * connection can be used again; that, too, ends with the call.
	 */
	@Override
	public void close() {
		try {
			InputStream guarded = getBody();
			if (!isClosable() || this.exchange.isStopped()) {
				drainOrClose(guarded);
			}
		}
		catch (IOException ex) {
			// There is no body, and the response is closed below.
		}
		finally {
			closeDelegate();
		}
	}

	private void closeDelegate() {
		try {
			if (!this.exchange.isStopped() || !isReactor()) {
				this.delegate.close();
			}
		}
		catch (RuntimeException ex) {
			// The client's own way of saying that its body was closed meanwhile:
			// Reactor's
			// before it began, the JDK's while it is drained.
			if (!this.exchange.isStopped()) {
				throw ex;
			}
		}
		finally {
			this.exchange.close();
		}
	}

	/**
	 * Reactor's body begins on another thread. If it is closed before, that is forgotten;
	 * reading it afterwards makes up for it, and fails as long as it has not begun.
	 */
	private static void closeFromOutside(InputStream body, Executor thread) {
		for (int i = 0; i < CLOSE_ATTEMPTS; i++) {
			if (CompletableFuture.supplyAsync(() -> close(body), thread).join()) {
				return;
			}
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
		}
	}

	private static boolean close(InputStream body) {
		try {
			body.close();
			body.read();
			return true;
		}
		catch (IOException ex) {
			return true;
		}
		catch (IllegalStateException ex) {
			return false;
		}
	}

	private static void drainOrClose(InputStream body) {
		try {
			StreamUtils.drain(body);
		}
		catch (IOException ex) {
			closeQuietly(body);
		}
	}

	private static void closeQuietly(InputStream body) {
		try {
			body.close();
		}
		catch (IOException ex) {
			// What reads it is told by the exchange.
		}
	}

	/**
	 * Reactor Netty closes the connection of a body that is closed before its end, even
	 * if the body has just ended and another request has taken the connection meanwhile,
	 * unless that happens on the connection's own thread. So nobody else closes a body
	 * that is stopped.
	 */
	private final class StoppedElsewhere extends FilterInputStream {

		StoppedElsewhere(InputStream body) {
			super(body);
		}

		@Override
		public void close() throws IOException {
			if (!GuardedResponse.this.exchange.isStopped()) {
				super.close();
			}
		}

	}

}
