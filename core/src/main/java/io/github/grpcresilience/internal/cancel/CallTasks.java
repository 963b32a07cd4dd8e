package io.github.grpcresilience.internal.cancel;

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
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.CallTask.Submission;
import io.github.grpcresilience.internal.method.ServedMethods;

/**
 * Tasks that calls hand to executors. Those that belong to their call see it, and when it
 * has ended they are refused, dropped while they wait for their turn, or interrupted
 * where the policy of the method says so. Others see no call. Outside of a call nothing
 * changes. Safe for concurrent use.
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
	 * Outside of a call nothing changes.
	 * @param task what was submitted; not wrapped yet, since its class tells how to treat
	 * it
	 * @param owned whether the task belongs to the call that submits it; otherwise it
	 * belongs to nobody, and sees no call
	 * @param decorator what else the executor wraps around its tasks
	 * @param pool where the result will wait for its turn; {@code null} if that is not
	 * known, and then what waits stays there until its turn
	 * @return what to hand to the executor
	 * @throws RejectedExecutionException if the call has ended and its grace is used up;
	 * its cause is the status of the call
	 */
	public Runnable wrap(Runnable task, boolean owned, UnaryOperator<Runnable> decorator,
			@Nullable ThreadPoolExecutor pool) {
		CallScope scope = CallScope.current();
		if (scope == null) {
			return decorator.apply(task);
		}
		if (!owned) {
			return decorator.apply(isLeftAsItIs(task) ? task : NobodysTask.of(task));
		}
		CallTask wrapped = wrapInCall(task, scope, pool);
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
	 * What is compared with others in its queue must stay comparable, and what libraries
	 * submit stands for the work of many.
	 */
	private static boolean isLeftAsItIs(Runnable task) {
		return task instanceof Comparable || TaskKind.of(task) == TaskKind.FOREIGN;
	}

	/**
	 * Hands a task to an executor.
	 */
	void execute(Runnable task, Executor executor, @Nullable ThreadPoolExecutor pool) {
		CallScope scope = CallScope.current();
		CallTask wrapped = (scope != null) ? wrapInCall(task, scope, pool) : null;
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

	private @Nullable CallTask wrapInCall(Runnable task, CallScope scope, @Nullable ThreadPoolExecutor pool) {
		TaskKind kind = (task instanceof CallTask || task instanceof NobodysTask) ? TaskKind.FOREIGN
				: TaskKind.of(task);
		if (kind == TaskKind.FOREIGN) {
			return null;
		}
		Submission submission = submit(scope, kind);
		CallTask wrapped = (kind == TaskKind.FUTURE && task instanceof Future<?> future)
				? new CallTaskFuture(task, future, submission, this.canceller, pool)
				: new CallTask(task, kind, submission, this.canceller, pool);
		if (wrapped.isWorthWatching() && !submission.late()) {
			CallTaskWatch.begin(wrapped, scope.call(), this.lost);
		}
		return wrapped;
	}

	/**
	 * A task that begins after the end shares the grace of what begins it.
	 */
	private Submission submit(CallScope scope, TaskKind kind) {
		boolean late = scope.call().hasEnded();
		if (late && kind.isRefusable() && !scope.isCarried() && scope.grace(Work.TASK).begin() == 0) {
			refuse(scope.call());
		}
		return new Submission((late || scope.isCarried()) ? scope : CallScope.ofTask(scope.call()),
				WorkContext.find(scope, Context.current(), this.canceller), late);
	}

	private void refuse(CallRecord call) {
		this.canceller.refused(Work.TASK, call);
		if (this.canceller.isEnforced()) {
			throw new RejectedExecutionException("nobody waits for the call any more",
					CallEnd.failure(call, "task", null));
		}
	}

	/**
	 * Lets the policies of methods interrupt the threads of their handlers.
	 * @param outer what stands around the handlers, and gives their calls a Context
	 * @param methods methods of the server
	 * @return the interceptor to use in place of the outer one
	 */
	public ServerInterceptor interruptHandlers(ServerInterceptor outer, ServedMethods methods) {
		return new InterruptingInterceptor(outer, methods, this.canceller);
	}

}
