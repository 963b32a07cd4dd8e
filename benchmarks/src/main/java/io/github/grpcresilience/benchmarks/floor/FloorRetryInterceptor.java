package io.github.grpcresilience.benchmarks.floor;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;

/**
 * Makes calls with one request again while their server is unavailable.
 */
final class FloorRetryInterceptor implements ClientInterceptor {

	private static final int MOST_TOKENS = 1000;

	private static final int TOKENS_A_RETRY = 100;

	private final ScheduledExecutorService timer;

	/** A tenth of what calls add, so that an outage is not made worse. */
	private final AtomicInteger tokens = new AtomicInteger(MOST_TOKENS);

	FloorRetryInterceptor(ScheduledExecutorService timer) {
		this.timer = timer;
	}

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
			CallOptions options, Channel next) {
		return method.getType().clientSendsOneMessage() ? new ReplayedCall<>(method, options, next, this)
				: next.newCall(method, options);
	}

	ScheduledExecutorService timer() {
		return this.timer;
	}

	void succeeded() {
		int now = this.tokens.get();
		if (now < MOST_TOKENS) {
			this.tokens.compareAndSet(now, now + TOKENS_A_RETRY / 10);
		}
	}

	boolean mayRetry() {
		return this.tokens
			.getAndUpdate((now) -> (now >= TOKENS_A_RETRY) ? now - TOKENS_A_RETRY : now) >= TOKENS_A_RETRY;
	}

}
