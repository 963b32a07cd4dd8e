package io.github.grpcresilience.sample.shared;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import io.grpc.Contexts;
import io.grpc.Status;

/**
 * Work of a given length in a handler, which blocks its thread but ends with its call.
 */
public final class Work {

	private Work() {
	}

	/**
	 * Works until the time is over or the current {@link Context} is cancelled.
	 * @param millis how long, in milliseconds; zero means not at all
	 * @throws io.grpc.StatusRuntimeException if the call ended first
	 */
	public static void forMillis(long millis) {
		Context context = Context.current();
		CountDownLatch cancelled = new CountDownLatch(1);
		CancellationListener listener = (ignored) -> cancelled.countDown();
		context.addListener(listener, Runnable::run);
		try {
			if (cancelled.await(millis, TimeUnit.MILLISECONDS)) {
				throw Contexts.statusFromCancelled(context).asRuntimeException();
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw Status.CANCELLED.withDescription("Interrupted").withCause(ex).asRuntimeException();
		}
		finally {
			context.removeListener(listener);
		}
	}

}
