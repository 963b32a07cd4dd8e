package io.github.grpcresilience.internal.call;

import io.grpc.Metadata;
import io.grpc.Status;

/**
 * Says what callers are told when a handler fails. Safe for concurrent use.
 */
public interface HandlerFailures {

	/**
	 * Closes a call that its handler, or an interceptor around it, closes with a failure.
	 * @param call the call, to close by {@link PolicyCall#pass}
	 * @param status a status that is not {@code OK}
	 * @param trailers its trailers
	 */
	void close(PolicyCall<?, ?> call, Status status, Metadata trailers);

	/**
	 * Answers what a handler, or an interceptor around it, has thrown.
	 * @param call the call, to close by {@link PolicyCall#pass}
	 * @param thrown what was thrown
	 * @throws RuntimeException the exception itself if nobody can be told any more, and
	 * it is none that is expected then
	 */
	void failed(PolicyCall<?, ?> call, Throwable thrown);

	/**
	 * Looks at a message before the handler does.
	 * @param call the call, which is closed if something is wrong with the message
	 * @param message the message
	 * @return whether the handler shall get it
	 */
	boolean passes(PolicyCall<?, ?> call, Object message);

	/**
	 * Loads what answers need, which takes a JVM longer than many a call may. Called on a
	 * thread that nobody waits for, once there is a first call.
	 */
	void load();

}
