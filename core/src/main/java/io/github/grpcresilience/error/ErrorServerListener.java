package io.github.grpcresilience.error;

import io.grpc.ServerCall;
import org.jspecify.annotations.Nullable;

/**
 * Answers what a handler's callbacks throw. A handler that has thrown hears only that it
 * was cancelled. Called on the call's executor, one callback at a time.
 */
final class ErrorServerListener<ReqT> extends ServerCall.Listener<ReqT> {

	private final ServerCall.Listener<ReqT> handler;

	private final ErrorServerCall<ReqT, ?> call;

	private final @Nullable RequestCheck check;

	private boolean failed;

	ErrorServerListener(ServerCall.Listener<ReqT> handler, ErrorServerCall<ReqT, ?> call,
			@Nullable RequestCheck check) {
		this.handler = handler;
		this.call = call;
		this.check = check;
	}

	@Override
	public void onMessage(ReqT message) {
		if (this.failed) {
			return;
		}
		if (this.check != null && !passes(this.check, message)) {
			return;
		}
		try {
			this.handler.onMessage(message);
		}
		catch (Throwable ex) {
			fail(ex);
		}
	}

	/**
	 * Looks at a message before the handler does. What is wrong with it is no exception
	 * of the handler's, so nobody else answers for it.
	 */
	private boolean passes(RequestCheck check, ReqT message) {
		Throwable wrong;
		try {
			wrong = check.check(message);
		}
		catch (Throwable ex) {
			wrong = ex;
		}
		if (wrong != null) {
			this.failed = true;
			this.call.refused(wrong);
		}
		return wrong == null;
	}

	@Override
	public void onHalfClose() {
		if (this.failed) {
			return;
		}
		try {
			this.handler.onHalfClose();
		}
		catch (Throwable ex) {
			fail(ex);
		}
	}

	@Override
	public void onReady() {
		if (this.failed) {
			return;
		}
		try {
			this.handler.onReady();
		}
		catch (Throwable ex) {
			fail(ex);
		}
	}

	private void fail(Throwable thrown) {
		this.failed = true;
		this.call.failed(thrown);
	}

	@Override
	public void onComplete() {
		if (this.failed) {
			// To grpc-java a call that we closed is complete; its handler never was.
			this.handler.onCancel();
		}
		else {
			this.handler.onComplete();
		}
	}

	@Override
	public void onCancel() {
		this.handler.onCancel();
	}

}
