package io.github.grpcresilience.internal.call;

import io.grpc.Context;
import io.grpc.ServerCall;

/**
 * Runs a handler's callbacks in the Context and the scope of its call, and answers what
 * they throw. Once we have closed the call for it, or the handler has failed, it hears
 * only that its call was cancelled. Called on the call's executor, one callback at a
 * time.
 */
final class PolicyListener<ReqT> extends ServerCall.Listener<ReqT> {

	private final ServerCall.Listener<ReqT> handler;

	private final PolicyCall<ReqT, ?> call;

	private boolean failed;

	PolicyListener(ServerCall.Listener<ReqT> handler, PolicyCall<ReqT, ?> call) {
		this.handler = handler;
		this.call = call;
	}

	@Override
	public void onMessage(ReqT message) {
		if (isOver()) {
			return;
		}
		Context previous = this.call.attach();
		CallScope outer = this.call.served().scope().enter();
		try {
			if (this.call.passes(message)) {
				this.handler.onMessage(message);
			}
			else {
				this.failed = true;
			}
		}
		catch (Throwable ex) {
			fail(ex);
		}
		finally {
			CallScope.leave(outer);
			this.call.detach(previous);
		}
	}

	@Override
	public void onHalfClose() {
		// A unary handler starts here, after the call has waited for its executor again.
		if (this.call.endIfDue() || this.failed) {
			return;
		}
		Context previous = this.call.attach();
		CallScope outer = this.call.served().scope().enter();
		try {
			this.handler.onHalfClose();
		}
		catch (Throwable ex) {
			fail(ex);
		}
		finally {
			CallScope.leave(outer);
			this.call.detach(previous);
		}
	}

	@Override
	public void onReady() {
		if (isOver()) {
			return;
		}
		Context previous = this.call.attach();
		CallScope outer = this.call.served().scope().enter();
		try {
			this.handler.onReady();
		}
		catch (Throwable ex) {
			fail(ex);
		}
		finally {
			CallScope.leave(outer);
			this.call.detach(previous);
		}
	}

	private boolean isOver() {
		return this.failed || this.call.served().isClosedByUs();
	}

	private void fail(Throwable thrown) {
		this.failed = true;
		this.call.fail(thrown);
	}

	@Override
	public void onComplete() {
		Context previous = this.call.attach();
		CallScope outer = this.call.served().scope().enter();
		try {
			if (this.call.served().isClosedByUs()) {
				// To grpc-java a call that we closed is complete; its handler never was.
				// Next it cancels the call's Context without a cause: ours comes first.
				this.call.cancelContext();
				this.handler.onCancel();
			}
			else if (this.failed) {
				this.handler.onCancel();
			}
			else {
				this.handler.onComplete();
			}
		}
		finally {
			CallScope.leave(outer);
			this.call.detach(previous);
		}
	}

	@Override
	public void onCancel() {
		Context previous = this.call.attach();
		CallScope outer = this.call.served().scope().enter();
		try {
			this.handler.onCancel();
		}
		finally {
			CallScope.leave(outer);
			this.call.detach(previous);
		}
	}

}
