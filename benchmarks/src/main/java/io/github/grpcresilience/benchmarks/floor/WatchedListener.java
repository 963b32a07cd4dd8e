package io.github.grpcresilience.benchmarks.floor;

import io.grpc.Context;
import io.grpc.ServerCall;

/**
 * Tells a handler what happens, in the Context that ends with the call.
 */
final class WatchedListener<ReqT> extends ServerCall.Listener<ReqT> {

	private final ServerCall.Listener<ReqT> handler;

	private final WatchedCall<ReqT, ?> call;

	private final Context.CancellableContext context;

	WatchedListener(ServerCall.Listener<ReqT> handler, WatchedCall<ReqT, ?> call, Context.CancellableContext context) {
		this.handler = handler;
		this.call = call;
		this.context = context;
	}

	@Override
	public void onMessage(ReqT message) {
		Context previous = this.context.attach();
		try {
			this.handler.onMessage(message);
		}
		finally {
			this.context.detach(previous);
		}
	}

	@Override
	public void onHalfClose() {
		if (this.call.isOver()) {
			return;
		}
		Context previous = this.context.attach();
		try {
			this.handler.onHalfClose();
		}
		catch (RuntimeException ex) {
			if (!this.call.isOver()) {
				throw ex;
			}
		}
		finally {
			this.context.detach(previous);
		}
	}

	@Override
	public void onReady() {
		Context previous = this.context.attach();
		try {
			this.handler.onReady();
		}
		finally {
			this.context.detach(previous);
		}
	}

	@Override
	public void onComplete() {
		Context previous = this.context.attach();
		try {
			this.handler.onComplete();
		}
		finally {
			this.context.detach(previous);
			this.context.cancel(null);
		}
	}

	@Override
	public void onCancel() {
		this.call.left();
		Context previous = this.context.attach();
		try {
			this.handler.onCancel();
		}
		finally {
			this.context.detach(previous);
		}
	}

}
