package io.github.grpcresilience.internal.drain;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Knows who watches the health of a server. A watch never ends by itself, and so would
 * hold a server that goes away for as long as it is let. Safe for concurrent use.
 */
final class HealthWatches implements ServerInterceptor {

	static final String WATCH = "grpc.health.v1.Health/Watch";

	private final ServerDrains drains;

	private final DrainAnswer answer;

	private final ConcurrentMap<Watch<?, ?>, Server> open = new ConcurrentHashMap<>();

	HealthWatches(ServerDrains drains, DrainAnswer answer) {
		this.drains = drains;
		this.answer = answer;
	}

	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		Server server = WATCH.equals(call.getMethodDescriptor().getFullMethodName())
				? InternalServer.SERVER_CONTEXT_KEY.get(Context.current()) : null;
		if (server == null) {
			return next.startCall(call, headers);
		}
		Watch<ReqT, RespT> watch = new Watch<>(call);
		ServerCall.Listener<ReqT> listener = next.startCall(watch, headers);
		this.open.put(watch, server);
		if (this.drains.endsWatches(server)) {
			end(watch); // nobody saw it
		}
		return new Watching<>(listener, watch, this);
	}

	int size() {
		return this.open.size();
	}

	/**
	 * Ends the watches of a server. On a thread that may take the lock of a call.
	 */
	void end(Server server) {
		this.open.forEach((watch, of) -> {
			if (of == server) {
				end(watch);
			}
		});
	}

	private void end(Watch<?, ?> watch) {
		Metadata trailers = new Metadata();
		watch.close(this.answer.write(trailers, WATCH), trailers);
	}

	/**
	 * Its monitor is the lock under which it sends and closes.
	 */
	private static final class Watch<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {

		@GuardedBy("this")
		private boolean closed;

		Watch(ServerCall<ReqT, RespT> call) {
			super(call);
		}

		@Override
		public synchronized void sendHeaders(Metadata headers) {
			if (!this.closed) {
				super.sendHeaders(headers);
			}
		}

		@Override
		public synchronized void sendMessage(RespT message) {
			if (!this.closed) {
				super.sendMessage(message);
			}
		}

		@Override
		public synchronized void close(Status status, @Nullable Metadata trailers) {
			if (!this.closed) {
				this.closed = true;
				super.close(status, trailers);
			}
		}

	}

	private static final class Watching<ReqT> extends SimpleForwardingServerCallListener<ReqT> {

		private final Watch<?, ?> watch;

		private final HealthWatches watches;

		Watching(ServerCall.Listener<ReqT> listener, Watch<?, ?> watch, HealthWatches watches) {
			super(listener);
			this.watch = watch;
			this.watches = watches;
		}

		@Override
		public void onCancel() {
			this.watches.open.remove(this.watch);
			super.onCancel();
		}

		@Override
		public void onComplete() {
			this.watches.open.remove(this.watch);
			super.onComplete();
		}

	}

}
