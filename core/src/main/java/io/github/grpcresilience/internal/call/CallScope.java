package io.github.grpcresilience.internal.call;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Context;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;

/**
 * One piece of work of a call, such as its handler or a task: what runs on a thread while
 * the scope is entered there belongs to the call. It stays on that thread: it is in no
 * Context that others carry away. Safe for concurrent use.
 */
public final class CallScope {

	private static final ThreadLocal<@Nullable CallScope> CURRENT = new ThreadLocal<>();

	/** Work that belongs to no call, although a call began it. */
	private static final CallScope NOBODY = new CallScope(null, Kind.TASK);

	/** Null for work that belongs to no call. */
	private final @Nullable CallRecord call;

	private final Kind kind;

	/** A piece of work begins its tasks in one Context, or in a few. */
	private static final int MOST_CONTEXTS = 64;

	/** Null before the end of the call. */
	@GuardedBy("this")
	private @Nullable Map<Work, Grace> graces;

	/** Null before the first task. */
	@GuardedBy("this")
	private @Nullable Map<Context, Context> contexts;

	private CallScope(@Nullable CallRecord call, Kind kind) {
		this.call = call;
		this.kind = kind;
	}

	/**
	 * The handler of a call, which answers it.
	 * @param call the call
	 * @return its scope
	 */
	public static CallScope ofHandler(CallRecord call) {
		return new CallScope(call, Kind.HANDLER);
	}

	/**
	 * A task of a call, which may go on after the answer.
	 * @param call the call
	 * @return its scope
	 */
	public static CallScope ofTask(CallRecord call) {
		return new CallScope(call, Kind.TASK);
	}

	/**
	 * The scope of work that a call begins and that belongs to nobody.
	 * @return the scope, to enter where the work runs
	 */
	public static CallScope nobody() {
		return NOBODY;
	}

	/**
	 * The piece of work that runs on this thread.
	 * @return its scope; {@code null} outside of a call, and once the call was answered,
	 * after which nothing of it is left
	 */
	public static @Nullable CallScope current() {
		CallScope current = CURRENT.get();
		return (current != null && current.call != null && !current.call.isAnswered()) ? current : null;
	}

	/**
	 * Whether what runs on this thread was begun by a call and belongs to nobody.
	 * @return {@code false} in a call, and where no call has begun anything
	 */
	public static boolean isNobody() {
		return CURRENT.get() == NOBODY;
	}

	/**
	 * The scope that was entered on this thread last, whatever became of its call.
	 * @return the scope; {@code null} if there is none
	 */
	public static @Nullable CallScope entered() {
		return CURRENT.get();
	}

	/**
	 * The same call where something has carried it to another thread which may work for
	 * others too. Its end stops nothing there, unless somebody interrupts the thread.
	 * @return a scope for that thread
	 */
	public CallScope carriedAway() {
		return isCarried() ? this : new CallScope(this.call, Kind.CARRIED);
	}

	/**
	 * Whether the call was carried to where the work runs.
	 * @return {@code true} if others may wait for the work
	 */
	public boolean isCarried() {
		return this.kind == Kind.CARRIED;
	}

	/**
	 * Whether this is the handler, without which there is no answer.
	 * @return {@code false} for what may go on after the answer
	 */
	public boolean isHandler() {
		return this.kind == Kind.HANDLER;
	}

	/**
	 * The call.
	 * @return its record
	 */
	public CallRecord call() {
		CallRecord known = this.call;
		if (known == null) {
			throw new IllegalStateException("work of nobody");
		}
		return known;
	}

	/**
	 * Whether this is a piece of work of a call.
	 * @param record the call
	 * @return {@code true} if it is
	 */
	public boolean isOf(CallRecord record) {
		return this.call == record;
	}

	/**
	 * What this piece of work may still begin once its call has ended.
	 * @param work kind of the work
	 * @return the same one each time
	 */
	public synchronized Grace grace(Work work) {
		if (this.graces == null) {
			this.graces = new EnumMap<>(Work.class);
		}
		return this.graces.computeIfAbsent(work, (key) -> new Grace());
	}

	/**
	 * gRPC's Context for tasks that this piece of work begins, kept as long as the piece
	 * is.
	 * @param begun Context of what begins the task
	 * @param factory makes the other one
	 * @return what was made for {@code begun}; a fork of it if there are too many
	 */
	public synchronized Context contextOf(Context begun, UnaryOperator<Context> factory) {
		if (this.contexts == null) {
			this.contexts = new HashMap<>(4);
		}
		Context found = this.contexts.get(begun);
		if (found == null) {
			if (this.contexts.size() >= MOST_CONTEXTS) {
				return begun.fork();
			}
			found = factory.apply(begun);
			this.contexts.put(begun, found);
		}
		return found;
	}

	/**
	 * Begins the work on this thread.
	 * @return what {@link #leave} needs
	 */
	public @Nullable CallScope enter() {
		CallScope outer = CURRENT.get();
		CURRENT.set(this);
		return outer;
	}

	/**
	 * Ends the work on this thread.
	 * @param outer what {@link #enter} has returned
	 */
	public static void leave(@Nullable CallScope outer) {
		CURRENT.set(outer);
	}

	/**
	 * Does a piece of work.
	 * @param work the work
	 */
	public void run(Runnable work) {
		CallScope outer = enter();
		try {
			work.run();
		}
		finally {
			leave(outer);
		}
	}

	/**
	 * Does a piece of work.
	 * @param work the work
	 * @param <T> type of the result
	 * @return what the work returned
	 * @throws Exception what the work threw
	 */
	public <T extends @Nullable Object> T call(Callable<T> work) throws Exception {
		CallScope outer = enter();
		try {
			return work.call();
		}
		finally {
			leave(outer);
		}
	}

	private enum Kind {

		HANDLER, TASK, CARRIED

	}

}
