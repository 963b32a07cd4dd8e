package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.io.IOException;
import java.net.URI;

import org.springframework.http.HttpMethod;
import org.springframework.http.StreamingHttpOutputMessage;
import org.springframework.http.client.ClientHttpRequest;
import org.springframework.http.client.ClientHttpRequestFactory;

import io.github.grpcresilience.internal.cancel.http.CallExchanges;

/**
 * Makes requests that end with the call that makes them. Around the factory and not an
 * interceptor, for which Spring would hold every body in memory.
 */
final class CallRequestFactory implements ClientHttpRequestFactory {

	private final ClientHttpRequestFactory factory;

	private final CallExchanges exchanges;

	private CallRequestFactory(ClientHttpRequestFactory factory, CallExchanges exchanges) {
		this.factory = factory;
		this.exchanges = exchanges;
	}

	static ClientHttpRequestFactory around(ClientHttpRequestFactory factory, CallExchanges exchanges) {
		return (factory instanceof CallRequestFactory) ? factory : new CallRequestFactory(factory, exchanges);
	}

	@Override
	public ClientHttpRequest createRequest(URI uri, HttpMethod method) throws IOException {
		ClientHttpRequest request = this.factory.createRequest(uri, method);
		return (request instanceof StreamingHttpOutputMessage streaming)
				? new StreamingCallRequest(request, this.exchanges, streaming)
				: new CallRequest(request, this.exchanges);
	}

}
