package io.github.grpcresilience.autoconfigure.cancellation.http;

import org.springframework.http.StreamingHttpOutputMessage;
import org.springframework.http.client.ClientHttpRequest;

import io.github.grpcresilience.internal.cancel.http.CallExchanges;

/**
 * A request of a call whose body is written when it is sent. Confined to one thread.
 */
final class StreamingCallRequest extends CallRequest implements StreamingHttpOutputMessage {

	private final StreamingHttpOutputMessage streaming;

	StreamingCallRequest(ClientHttpRequest request, CallExchanges exchanges, StreamingHttpOutputMessage streaming) {
		super(request, exchanges);
		this.streaming = streaming;
	}

	@Override
	public void setBody(Body body) {
		this.streaming.setBody(body);
	}

}
