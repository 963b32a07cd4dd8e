package io.github.grpcresilience.cancel.reactor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.cancel.context.CallScopeAccessor;

/**
 * Makes subscriptions that a call alone waits for end with the call, and carries the call
 * across schedulers. Reactor's hooks are those of the JVM, so there is one for all
 * applications in it; it counts for the one that came last, and goes with the last one.
 * Safe for concurrent use.
 */
public final class CallSubscriptions implements AutoCloseable {

	private static final String HOOK = "grpc-resilience";

	/** Reactor's hook for tasks, where the application has enabled its propagation. */
	private static final String REACTORS_HOOK = "CONTEXT_IN_THREAD_LOCALS";

	/** Guarded by the lock of the class, as Reactor's hooks are the JVM's. */
	private static final List<CallSubscriptions> INSTALLED = new ArrayList<>();

	/** Written under the lock of the class. */
	private static volatile @Nullable CallSubscriptions inCharge;

	private final WorkCanceller canceller;

	private CallSubscriptions(WorkCanceller canceller) {
		this.canceller = canceller;
	}

	/**
	 * Begins to look after subscriptions.
	 * @param canceller stops the subscriptions
	 * @return what ends it
	 */
	public static CallSubscriptions install(WorkCanceller canceller) {
		CallSubscriptions subscriptions = new CallSubscriptions(canceller);
		synchronized (CallSubscriptions.class) {
			INSTALLED.add(subscriptions);
			inCharge = subscriptions;
			if (INSTALLED.size() == 1) {
				Hooks.onLastOperator(HOOK, CallSubscriptions::guard);
				Schedulers.onScheduleHook(HOOK, CallSubscriptions::carry);
				comeFirst();
			}
		}
		return subscriptions;
	}

	/**
	 * Reactor's own hook for tasks must come after ours, from which it hides what they
	 * are. Where the application has not enabled it, it comes later or never.
	 */
	private static void comeFirst() {
		if (isPropagated()) {
			Schedulers.resetOnScheduleHook(REACTORS_HOOK);
			Hooks.enableAutomaticContextPropagation();
		}
	}

	/**
	 * Whether somebody has enabled it: Reactor tells only since a late release.
	 */
	private static boolean isPropagated() {
		CallRecord probe = new CallRecord(Deadline.getSystemTicker(), false);
		AtomicBoolean seen = new AtomicBoolean();
		Mono.fromRunnable(() -> {
			CallScope entered = CallScope.entered();
			seen.set(entered != null && entered.isOf(probe));
		}).contextWrite((context) -> context.put(CallScopeAccessor.KEY, CallScope.ofTask(probe))).subscribe();
		return seen.get();
	}

	private static Publisher<Object> guard(Publisher<Object> source) {
		CallScope scope = CallScope.current();
		CallSubscriptions last = (scope != null) ? inCharge : null;
		return (scope != null && last != null) ? new GuardedPublisher<>(source, scope, last.canceller) : source;
	}

	/**
	 * Whether decisions take effect.
	 */
	static boolean isEnforced() {
		CallSubscriptions last = inCharge;
		return last != null && last.canceller.isEnforced();
	}

	/**
	 * Carries the call to other threads, whether Reactor carries thread-locals there or
	 * not, which the application decides (decision 31). What is kept for others must not
	 * be short of time because the first of them was: it sees no call there.
	 */
	private static Runnable carry(Runnable task) {
		CallScope scope = CallScope.current();
		if (scope == null) {
			return task;
		}
		if (Audience.ofChain(task) == Audience.OTHERS) {
			return () -> CallScope.nobody().run(task);
		}
		CallScope carried = scope.carriedAway();
		return isEnforced() ? () -> carried.run(task) : task;
	}

	/**
	 * Ends it; done once, however often it is asked for. Subscriptions that are there
	 * still end with their calls.
	 */
	@Override
	public void close() {
		synchronized (CallSubscriptions.class) {
			if (!INSTALLED.remove(this)) {
				return;
			}
			inCharge = INSTALLED.isEmpty() ? null : INSTALLED.get(INSTALLED.size() - 1);
			if (inCharge == null) {
				Hooks.resetOnLastOperator(HOOK);
				Schedulers.resetOnScheduleHook(HOOK);
			}
		}
	}

}
