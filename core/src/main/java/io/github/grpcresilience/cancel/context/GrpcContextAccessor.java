package io.github.grpcresilience.cancel.context;

import io.grpc.Context;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Lets Micrometer's context propagation carry the {@link Context} of a call to other
 * threads, with its deadline and its cancellation. Found by the {@code ContextRegistry}
 * itself. Immutable, safe for concurrent use.
 */
public final class GrpcContextAccessor implements ThreadLocalAccessor<Context> {

	/** Key of the Context in snapshots, and in the context of Reactor's subscribers. */
	public static final String KEY = "io.grpc.Context";

	@Override
	public Object key() {
		return KEY;
	}

	/**
	 * The current Context.
	 * @return {@code null} outside of a call, where there is nothing to carry
	 */
	@Override
	public @Nullable Context getValue() {
		Context current = Context.current();
		return (current != Context.ROOT) ? current : null;
	}

	// What attach() returns is not needed: the scope that sets a value restores the one
	// that it read before.
	@Override
	@SuppressWarnings({ "CheckReturnValue", "MustBeClosedChecker" })
	public void setValue(Context context) {
		context.attach();
	}

	@Override
	@SuppressWarnings("CheckReturnValue")
	public void setValue() {
		Context.ROOT.attach();
	}

}
