package io.github.grpcresilience.cancel;

import java.lang.ref.ReferenceQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.UnaryOperator;

import io.grpc.Context;
import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.method.KnownMethods;

/**
 * Tasks that calls hand to executors. They run in the Context of their call; those of a
 * call that nobody waits for are refused, dropped while they wait for their turn, or
 * interrupted where the policy of the method says so. Outside of a call nothing changes.
 * Safe for concurrent use.
 */
public final class CallTasks {

	private final WorkCanceller canceller;

	private final ReferenceQueue<CallTask> lost = new ReferenceQueue<>();

	/**
	 * Creates the adapter.
	 * @param canceller stops the tasks
	 */
	public CallTasks(WorkCanceller canceller) {
		this.canceller = canceller;
	}

	/**
	 * Makes an executor hand the call on to its tasks.
	 * @param executor an executor
	 * @return an executor around it; itself if it is one already
	 */
	public Executor executor(Executor executor) {
		if (executor instanceof ExecutorService service) {
			return executor(service);
		}
		return (executor instanceof CallExecutor) ? executor : new CallExecutor(executor, this);
	}

	/**
	 * Makes an executor hand the call on to its tasks. Shutting down either of the two
	 * shuts down the executor.
	 * @param executor an executor; where it is a {@link ThreadPoolExecutor}, tasks of
	 * calls that are gone leave its queue at once
	 * @return an executor around it; itself if it is one already
	 */
	public ExecutorService executor(ExecutorService executor) {
		return (executor instanceof CallExecutorService) ? executor : new CallExecutorService(executor, this);
	}

	/**
	 * Prepares a task for the executor that it is about to be handed to, and to no other.
	 * @param task what was submitted; not wrapped yet, since its class tells how to treat
	 * it
	 * @param decorator what else the executor wraps around its tasks
	 * @param pool where the result will wait for its turn; {@code null} if that is not
	 * known, and then what waits stays there until its turn
	 * @return what to hand to the executor
	 * @throws RejectedExecutionException if nobody waits for the call any more; its cause
	 * is the status of the call
	 */
	public Runnable wrap(Runnable task, UnaryOperator<Runnable> decorator, @Nullable ThreadPoolExecutor pool) {
		if (Context.current() == Context.ROOT) {
			return decorator.apply(task);
		}
		CallTask wrapped = wrapInCall(task, pool);
		if (wrapped == null) {
			return decorator.apply(task);
		}
		try {
			Runnable decorated = decorator.apply(wrapped);
			wrapped.queuedAs(decorated);
			return decorated;
		}
		catch (RuntimeException | Error ex) {
			wrapped.forget();
			throw ex;
		}
	}

	/**
	 * Hands a task to an executor.
	 */
	void execute(Runnable task, Executor executor, @Nullable ThreadPoolExecutor pool) {
		CallTask wrapped = (Context.current() != Context.ROOT) ? wrapInCall(task, pool) : null;
		if (wrapped == null) {
			executor.execute(task);
			return;
		}
		wrapped.queuedAs(wrapped);
		try {
			executor.execute(wrapped);
		}
		catch (RuntimeException | Error ex) {
			wrapped.forget();
			throw ex;
		}
		wrapped.dequeue();
	}

	private @Nullable CallTask wrapInCall(Runnable task, @Nullable ThreadPoolExecutor pool) {
		TaskKind kind = (task instanceof CallTask) ? TaskKind.FOREIGN : TaskKind.of(task);
		if (kind == TaskKind.FOREIGN) {
			return null;
		}
		Context context = Context.current();
		if (kind.isRefusable() && CallEnd.isAbandoned(context)) {
			refuse(context);
		}
		CallTask wrapped = (kind == TaskKind.FUTURE && task instanceof Future<?> future)
				? new CallTaskFuture(task, future, context, this.canceller, pool)
				: new CallTask(task, kind, context, this.canceller, pool);
		if (wrapped.isWorthWatching()) {
			CallTaskWatch.begin(wrapped, context, this.lost);
		}
		return wrapped;
	}

	private void refuse(Context context) {
		this.canceller.counts().refused(Work.TASK);
		if (this.canceller.isEnforced()) {
			throw new RejectedExecutionException("nobody waits for the call any more",
					CallEnd.failure(context, "task", null));
		}
	}

	/**
	 * Lets the policies of methods interrupt the threads of their handlers.
	 * @param outer what stands around the handlers, and gives their calls a Context
	 * @param methods methods of the server
	 * @return the interceptor to use in place of the outer one
	 */
	public ServerInterceptor interruptHandlers(ServerInterceptor outer, KnownMethods methods) {
		return new InterruptingInterceptor(outer, methods, this.canceller);
	}

}
