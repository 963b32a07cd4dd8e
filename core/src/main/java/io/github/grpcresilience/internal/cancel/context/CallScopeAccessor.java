package io.github.grpcresilience.internal.cancel.context;

import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Lets Micrometer's context propagation carry the call to other threads: what runs there
 * sees how much time is left. Others may wait for it too, so the end of the call stops
 * nothing there by itself. Found by the {@code ContextRegistry} itself. Immutable, safe
 * for concurrent use.
 */
public final class CallScopeAccessor implements ThreadLocalAccessor<CallScope> {

	/** Key of the scope in snapshots, and in the context of Reactor's subscribers. */
	public static final String KEY = "grpc-resilience.call";

	@Override
	public Object key() {
		return KEY;
	}

	/**
	 * The current piece of work.
	 * @return {@code null} outside of a call, where there is nothing to carry
	 */
	@Override
	public @Nullable CallScope getValue() {
		return CallScope.current();
	}

	/**
	 * On the thread that the scope comes from nothing changes.
	 */
	@Override
	public void setValue(CallScope scope) {
		if (CallScope.entered() != scope) {
			CallScope.leave(scope.carriedAway());
		}
	}

	@Override
	public void setValue() {
		CallScope.leave(null);
	}

	@Override
	public void restore(CallScope previous) {
		CallScope.leave(previous);
	}

}
