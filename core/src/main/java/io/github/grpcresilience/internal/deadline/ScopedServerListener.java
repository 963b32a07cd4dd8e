package io.github.grpcresilience.internal.deadline;

import io.grpc.ServerCall;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Runs a handler's callbacks in the scope of its call. Called on the call's executor, one
 * callback at a time.
 */
final class ScopedServerListener<ReqT> extends ServerCall.Listener<ReqT> {

	private final ServerCall.Listener<ReqT> handler;

	private final CallScope scope;

	ScopedServerListener(ServerCall.Listener<ReqT> handler, CallScope scope) {
		this.handler = handler;
		this.scope = scope;
	}

	@Override
	public void onMessage(ReqT message) {
		CallScope outer = this.scope.enter();
		try {
			this.handler.onMessage(message);
		}
		finally {
			CallScope.leave(outer);
		}
	}

	@Override
	public void onHalfClose() {
		CallScope outer = this.scope.enter();
		try {
			this.handler.onHalfClose();
		}
		finally {
			CallScope.leave(outer);
		}
	}

	@Override
	public void onReady() {
		CallScope outer = this.scope.enter();
		try {
			this.handler.onReady();
		}
		finally {
			CallScope.leave(outer);
		}
	}

	@Override
	public void onComplete() {
		CallScope outer = this.scope.enter();
		try {
			this.handler.onComplete();
		}
		finally {
			CallScope.leave(outer);
		}
	}

	@Override
	public void onCancel() {
		CallScope outer = this.scope.enter();
		try {
			this.handler.onCancel();
		}
		finally {
			CallScope.leave(outer);
		}
	}

}
