package io.github.grpcresilience.autoconfigure.edge.servlet;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;

import io.github.grpcresilience.internal.deadline.ServedRequest;

/**
 * Ends a request that is served asynchronously. Called on threads of the container.
 */
record EdgeAsyncListener(ServedRequest served) implements AsyncListener {

	@Override
	public void onComplete(AsyncEvent event) {
		this.served.end();
	}

	/**
	 * The container's own time is over; what it answers then, others decide.
	 */
	@Override
	public void onTimeout(AsyncEvent event) {
		this.served.timeOut();
	}

	/**
	 * The connection or the stream broke. A handler's exception has ended the request
	 * before.
	 */
	@Override
	public void onError(AsyncEvent event) {
		this.served.leave();
	}

	/**
	 * Listeners are forgotten when a dispatch starts asynchronous work again.
	 */
	@Override
	public void onStartAsync(AsyncEvent event) {
		event.getAsyncContext().addListener(this);
	}

}
