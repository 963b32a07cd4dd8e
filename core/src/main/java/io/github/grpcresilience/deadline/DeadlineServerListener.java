package io.github.grpcresilience.deadline;

import io.grpc.Context;
import io.grpc.ServerCall;

import io.github.grpcresilience.call.CallScope;

/**
 * Runs a handler's callbacks in the Context and the scope of its call. Once the call is
 * answered the handler hears only that it was cancelled. Called on the call's executor,
 * one callback at a time.
 */
final class DeadlineServerListener<ReqT> extends ServerCall.Listener<ReqT> {

	private final ServerCall.Listener<ReqT> handler;

	private final DeadlineServerCall<ReqT, ?> call;

	private final Context.CancellableContext context;

	private final CallScope scope;

	DeadlineServerListener(ServerCall.Listener<ReqT> handler, DeadlineServerCall<ReqT, ?> call,
			Context.CancellableContext context, CallScope scope) {
		this.handler = handler;
		this.call = call;
		this.context = context;
		this.scope = scope;
	}

	@Override
	public void onMessage(ReqT message) {
		if (this.call.isAnswered()) {
			return;
		}
		Context previous = this.context.attach();
		CallScope outer = this.scope.enter();
		try {
			this.handler.onMessage(message);
		}
		catch (Exception ex) {
			if (!this.call.absorbs(ex)) {
				throw ex;
			}
		}
		finally {
			CallScope.leave(outer);
			this.context.detach(previous);
		}
	}

	@Override
	public void onHalfClose() {
		// A unary handler starts here, after the call has waited for its executor again.
		if (this.call.endIfDue()) {
			return;
		}
		Context previous = this.context.attach();
		CallScope outer = this.scope.enter();
		try {
			this.handler.onHalfClose();
		}
		catch (Exception ex) {
			if (!this.call.absorbs(ex)) {
				throw ex;
			}
		}
		finally {
			CallScope.leave(outer);
			this.context.detach(previous);
		}
	}

	@Override
	public void onReady() {
		if (this.call.isAnswered()) {
			return;
		}
		Context previous = this.context.attach();
		CallScope outer = this.scope.enter();
		try {
			this.handler.onReady();
		}
		catch (Exception ex) {
			if (!this.call.absorbs(ex)) {
				throw ex;
			}
		}
		finally {
			CallScope.leave(outer);
			this.context.detach(previous);
		}
	}

	@Override
	public void onComplete() {
		Context previous = this.context.attach();
		CallScope outer = this.scope.enter();
		try {
			if (this.call.isAnswered()) {
				// To grpc-java a call that we closed is complete; its handler never was.
				// Next it cancels the call's Context without a cause: ours comes first.
				this.call.cancelContext();
				this.handler.onCancel();
			}
			else {
				this.handler.onComplete();
			}
		}
		finally {
			CallScope.leave(outer);
			this.context.detach(previous);
		}
	}

	@Override
	public void onCancel() {
		Context previous = this.context.attach();
		CallScope outer = this.scope.enter();
		try {
			this.handler.onCancel();
		}
		finally {
			CallScope.leave(outer);
			this.context.detach(previous);
		}
	}

}
