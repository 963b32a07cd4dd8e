package io.github.grpcresilience.internal.attempt;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.time.Timer;

/**
 * Ends the calls that wait for their next attempt when their channel is shut down. A
 * channel tells interceptors nothing of it; but it ends, or no longer takes, a call that
 * waits for its credentials, which is never sent. So while calls wait, there is one such
 * call, renewed ten times a second since a graceful shutdown spares those that it finds
 * (decision 20). Safe for concurrent use.
 */
final class ShutdownWatch {

	/** A wait that is shorter is not worth it. */
	static final long LOOK_NANOS = 100_000_000;

	private static final String DONE = "the channel is still there";

	private final Channel channel;

	private final MethodDescriptor<?, ?> method;

	private final Timer timer;

	@GuardedBy("this")
	private final Set<Wait<?, ?>> waiting = new HashSet<>();

	/** There is one as long as calls wait. */
	@GuardedBy("this")
	private @Nullable Probe probe;

	@GuardedBy("this")
	private boolean useless;

	private final Executor executor;

	private final Runnable unwatchable;

	/**
	 * Prepares the watch.
	 * @param channel the channel
	 * @param method a method that is called over it
	 * @param timer says when to look again
	 * @param executor looks
	 * @param unwatchable told if the channel cannot be watched
	 */
	ShutdownWatch(Channel channel, MethodDescriptor<?, ?> method, Timer timer, Executor executor,
			Runnable unwatchable) {
		this.channel = channel;
		this.method = method;
		this.timer = timer;
		this.executor = executor;
		this.unwatchable = unwatchable;
	}

	/**
	 * Whether an attempt failed because there is no channel any more.
	 */
	static boolean isShutdown(Status status) {
		return status.getCode() == Status.Code.UNAVAILABLE && status.getDescription() != null
				&& status.getDescription().startsWith("Channel shutdown");
	}

	synchronized void add(Wait<?, ?> wait) {
		this.waiting.add(wait);
	}

	/**
	 * Forgets a wait that is over.
	 * @return {@code true} if no other call waits
	 */
	synchronized boolean remove(Wait<?, ?> wait) {
		this.waiting.remove(wait);
		return this.waiting.isEmpty();
	}

	/**
	 * Begins to watch, unless that has begun or nobody waits.
	 */
	void begin() {
		Probe begun;
		synchronized (this) {
			if (this.probe != null || this.waiting.isEmpty() || this.useless) {
				return;
			}
			begun = new Probe();
			this.probe = begun;
		}
		try {
			begun.start();
		}
		catch (RuntimeException | Error ex) {
			// An interceptor of the channel that knows attempts only: then nobody looks.
			this.unwatchable.run();
			abandon(begun);
		}
	}

	private void abandon(Probe probe) {
		probe.end();
		synchronized (this) {
			if (this.probe == probe) {
				this.probe = null;
				this.useless = true;
			}
		}
	}

	/**
	 * Ends the watch if nobody waits.
	 */
	void end() {
		Probe ended;
		synchronized (this) {
			if (!this.waiting.isEmpty()) {
				return;
			}
			ended = this.probe;
			this.probe = null;
		}
		if (ended != null) {
			ended.end();
		}
	}

	private void renew(Probe old) {
		synchronized (this) {
			if (this.probe != old) {
				return;
			}
			this.probe = null;
		}
		old.end();
		begin();
	}

	private void shutDown(Probe told, Status status) {
		List<Wait<?, ?>> waits;
		synchronized (this) {
			if (this.probe != told) {
				return;
			}
			this.probe = null;
			waits = new ArrayList<>(this.waiting);
			this.waiting.clear();
		}
		waits.forEach((wait) -> wait.giveUp(status));
	}

	/**
	 * A call that is never sent, since its credentials do not come.
	 */
	private final class Probe extends CallCredentials {

		@GuardedBy("this")
		private @Nullable ClientCall<?, ?> call;

		@GuardedBy("this")
		private @Nullable MetadataApplier applier;

		@GuardedBy("this")
		private boolean ended;

		void start() {
			Executor executor = ShutdownWatch.this.executor;
			ShutdownWatch.this.timer.schedule(LOOK_NANOS, () -> executor.execute(() -> renew(this)));
			// The Context of a call would end the probe with that call.
			Context previous = Context.ROOT.attach();
			try {
				start(ShutdownWatch.this.method);
			}
			finally {
				Context.ROOT.detach(previous);
			}
		}

		private <ReqT, RespT> void start(MethodDescriptor<ReqT, RespT> method) {
			ClientCall<ReqT, RespT> begun = ShutdownWatch.this.channel.newCall(method,
					CallOptions.DEFAULT.withWaitForReady()
						.withCallCredentials(this)
						.withExecutor(Runnable::run)
						.withStreamTracerFactory(new SentProbe()));
			begun.start(new ClientCall.Listener<>() {

				@Override
				public void onClose(Status status, Metadata trailers) {
					// A channel does not end before its calls have their credentials.
					end();
					if (isShutdown(status)) {
						shutDown(Probe.this, status);
					}
				}

			}, new Metadata());
			boolean late;
			synchronized (this) {
				this.call = begun;
				late = this.ended;
			}
			if (late) {
				begun.cancel(DONE, null);
			}
		}

		void end() {
			ClientCall<?, ?> begun;
			MetadataApplier waits;
			synchronized (this) {
				this.ended = true;
				begun = this.call;
				waits = this.applier;
				this.applier = null;
			}
			if (begun != null) {
				begun.cancel(DONE, null);
			}
			if (waits != null) {
				waits.fail(Status.CANCELLED);
			}
		}

		@Override
		public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
			boolean late;
			synchronized (this) {
				late = this.ended;
				this.applier = late ? null : applier;
			}
			if (late) {
				applier.fail(Status.CANCELLED);
			}
		}

		/**
		 * Notices that the call is sent, since an interceptor gave it other credentials.
		 */
		private final class SentProbe extends ClientStreamTracer.Factory {

			@Override
			public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
				return new ClientStreamTracer() {

					@Override
					public void streamCreated(Attributes transport, Metadata headers) {
						ShutdownWatch.this.unwatchable.run();
						ShutdownWatch.this.executor.execute(() -> abandon(Probe.this));
					}

				};
			}

		}

	}

}
