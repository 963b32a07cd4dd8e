package io.github.grpcresilience;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;

import io.github.grpcresilience.method.ServedCall;

/**
 * A call that is served, without a server: it ends when the test says so.
 */
public final class TestCall implements ServedCall, AutoCloseable {

	public static final Context.Key<String> VALUE = Context.key("test-value");

	private final Map<Context, Context> workContexts = new ConcurrentHashMap<>();

	private final boolean interruptible;

	private final CancellableContext context;

	private volatile boolean ended;

	private TestCall(boolean interruptible) {
		this.interruptible = interruptible;
		this.context = Context.ROOT.withValue(VALUE, "of the call").withValue(KEY, this).withCancellation();
	}

	public static TestCall begin() {
		return new TestCall(false);
	}

	public static TestCall beginInterruptible() {
		return new TestCall(true);
	}

	public CancellableContext context() {
		return this.context;
	}

	public void run(Runnable handler) {
		this.context.run(handler);
	}

	/** As grpc-java does when the handler has answered. */
	public void answer() {
		this.ended = true;
		this.context.cancel(null);
	}

	/** As grpc-java does when the caller has left. */
	public void abandon() {
		this.ended = true;
		this.context.cancel(new IllegalStateException("the caller left"));
	}

	/** How many listeners there are, of which the call itself has none. */
	public int listeners() {
		return listeners(this.context);
	}

	public static int listeners(Context context) {
		try {
			Method count = Context.CancellableContext.class.getDeclaredMethod("listenerCount");
			count.setAccessible(true);
			return (int) count.invoke(context);
		}
		catch (ReflectiveOperationException ex) {
			throw new LinkageError(ex.getMessage(), ex);
		}
	}

	@Override
	public boolean hasEnded() {
		return this.ended;
	}

	@Override
	public boolean isInterruptible() {
		return this.interruptible;
	}

	@Override
	public void anchor() {
		// Its Context has no parent that is cancelled.
	}

	@Override
	public Context workContext(Context begun, UnaryOperator<Context> factory) {
		return this.workContexts.computeIfAbsent(begun, factory);
	}

	@Override
	public void close() {
		this.context.cancel(null);
	}

}
