package io.github.grpcresilience.cancel.reactor;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.FluxSink;

/**
 * Responses of one call on their way to a subscriber.
 */
final class ResponseStream<ReqT, RespT> implements ClientResponseObserver<ReqT, RespT> {

	private final FluxSink<RespT> sink;

	/** Written before the call starts. */
	private @Nullable ClientCallStreamObserver<ReqT> call;

	private volatile boolean unbounded;

	ResponseStream(FluxSink<RespT> sink) {
		this.sink = sink;
	}

	@Override
	public void beforeStart(ClientCallStreamObserver<ReqT> call) {
		this.call = call;
		call.disableAutoRequestWithInitial(0);
	}

	void request(long count) {
		if (count >= Integer.MAX_VALUE) {
			this.unbounded = true;
		}
		call().request((int) Math.min(Integer.MAX_VALUE, count));
	}

	void cancel() {
		call().cancel("the subscription was disposed", null);
	}

	private ClientCallStreamObserver<ReqT> call() {
		ClientCallStreamObserver<ReqT> started = this.call;
		if (started == null) {
			throw new IllegalStateException("the method must be one of an async stub, and make a call");
		}
		return started;
	}

	@Override
	public void onNext(RespT response) {
		this.sink.next(response);
		if (this.unbounded) {
			// What gRPC can count to is not for ever.
			call().request(1);
		}
	}

	@Override
	public void onError(Throwable thrown) {
		this.sink.error(thrown);
	}

	@Override
	public void onCompleted() {
		this.sink.complete();
	}

}
