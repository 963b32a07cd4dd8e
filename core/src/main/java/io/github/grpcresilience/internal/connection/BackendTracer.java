package io.github.grpcresilience.internal.connection;

import java.util.concurrent.TimeoutException;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.util.ForwardingClientStreamTracer;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.status.StatusDetails;
import io.github.grpcresilience.status.Reason;

/**
 * Tells a backend what becomes of one call, and the policy that chose it the same as
 * ever. Called by threads of the transport, and takes no lock unless the call fails.
 */
final class BackendTracer extends ForwardingClientStreamTracer {

	private static final ClientStreamTracer NONE = new ClientStreamTracer() {
	};

	private final Backend backend;

	private final ClientStreamTracer policys;

	private volatile boolean heard;

	private volatile @Nullable Metadata trailers;

	private BackendTracer(Backend backend, ClientStreamTracer policys) {
		this.backend = backend;
		this.policys = policys;
	}

	@Override
	protected ClientStreamTracer delegate() {
		return this.policys;
	}

	@Override
	public void outboundHeaders() {
		this.backend.asked();
		super.outboundHeaders();
	}

	@Override
	public void inboundHeaders(Metadata headers) {
		hear();
		super.inboundHeaders(headers);
	}

	@Override
	public void inboundMessage(int number) {
		hear();
		super.inboundMessage(number);
	}

	@Override
	public void inboundTrailers(Metadata trailers) {
		hear();
		this.trailers = trailers;
		super.inboundTrailers(trailers);
	}

	private void hear() {
		this.heard = true;
		this.backend.heard();
	}

	@Override
	public void streamClosed(Status status) {
		switch (status.getCode()) {
			// Whoever sheds load has nothing to get rid of but load.
			case RESOURCE_EXHAUSTED -> {
			}
			case UNAVAILABLE, UNKNOWN, INTERNAL, DATA_LOSS -> {
				if (!isDeliberate()) {
					this.backend.failed();
				}
			}
			case DEADLINE_EXCEEDED -> timedOut();
			case CANCELLED -> {
				if (status.getCause() instanceof TimeoutException) {
					timedOut();
				}
			}
			default -> this.backend.succeeded();
		}
		super.streamClosed(status);
	}

	private void timedOut() {
		if (!this.heard) {
			this.backend.failed();
		}
	}

	/**
	 * Whether the backend is as well as any, and says why it does not answer.
	 */
	private boolean isDeliberate() {
		return StatusDetails.find(this.trailers, Reason.DRAINING) != null
				|| StatusDetails.find(this.trailers, Reason.CIRCUIT_OPEN) != null
				|| StatusDetails.find(this.trailers, Reason.SHARED_WORK_ENDED) != null;
	}

	/** For all calls of a backend that a policy chose by the same result. */
	static final class Factory extends ClientStreamTracer.Factory {

		private final Backend backend;

		private final ClientStreamTracer.@Nullable Factory policys;

		Factory(Backend backend, ClientStreamTracer.@Nullable Factory policys) {
			this.backend = backend;
			this.policys = policys;
		}

		@Override
		public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
			return new BackendTracer(this.backend,
					(this.policys != null) ? this.policys.newClientStreamTracer(info, headers) : NONE);
		}

	}

}
