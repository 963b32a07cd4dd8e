package io.github.grpcresilience.attempt;

import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

import io.github.grpcresilience.call.ServedCall;

/**
 * The time between two attempts, and the failure that the call ends with if no other one
 * follows. No attempt is in flight, so the call has to listen itself to what would end
 * one: its {@link Context}, and the end of its channel.
 *
 * <p>
 * Immutable. Begins and ends outside of the lock of the call: the Context has a lock of
 * its own, under which it may call a listener that is added late (decision 20).
 */
final class Wait<ReqT, RespT> implements Context.CancellationListener {

	private final AttemptedCall<ReqT, RespT> call;

	private final Attempt<ReqT, RespT> failed;

	private final Status status;

	private final Metadata trailers;

	Wait(AttemptedCall<ReqT, RespT> call, Attempt<ReqT, RespT> failed, Status status, Metadata trailers) {
		this.call = call;
		this.failed = failed;
		this.status = status;
		this.trailers = trailers;
	}

	void begin(long nanos, Context context, ClientAttempts client, Channel channel, MethodDescriptor<?, ?> method) {
		ServedCall served = ServedCall.KEY.get(context);
		if (served != null) {
			served.anchor();
		}
		// Not on the thread that adds it: that would be under the lock of the Context.
		context.addListener(this, client.executor());
		if (nanos > ShutdownWatch.LOOK_NANOS) {
			client.watches().add(channel, method, this);
		}
	}

	void end(Context context, ClientAttempts client, Channel channel) {
		context.removeListener(this);
		client.watches().remove(channel, this);
	}

	/**
	 * Tells the caller the failure after all.
	 */
	void fail(Delivery<RespT> delivery) {
		delivery.endOutside(this.failed, this.status, this.trailers);
	}

	@Override
	public void cancelled(Context context) {
		this.call.stopWaiting(Contexts.statusFromCancelled(context));
	}

	/**
	 * The channel was shut down.
	 */
	void channelShutDown(Status told) {
		this.call.stopWaiting(told);
	}

}
