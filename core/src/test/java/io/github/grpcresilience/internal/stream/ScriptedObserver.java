package io.github.grpcresilience.internal.stream;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import io.grpc.stub.ServerCallStreamObserver;

/**
 * A call whose readiness a test decides. Notes what it is given, and whether two threads
 * were in it at once.
 */
final class ScriptedObserver extends ServerCallStreamObserver<String> {

	private final List<String> sent = new CopyOnWriteArrayList<>();

	private final AtomicInteger threads = new AtomicInteger();

	private volatile boolean ready = true;

	private volatile boolean shared;

	private volatile Consumer<String> onNext = (message) -> {
	};

	private Runnable onReady;

	private Runnable onCancel;

	List<String> sent() {
		return this.sent;
	}

	void stall() {
		this.ready = false;
	}

	void resume() {
		this.ready = true;
		this.onReady.run();
	}

	void cancel() {
		this.onCancel.run();
	}

	/** What happens while a message is sent. */
	void onNext(Consumer<String> action) {
		this.onNext = action;
	}

	boolean wasShared() {
		return this.shared;
	}

	@Override
	public boolean isReady() {
		return this.ready;
	}

	@Override
	public void onNext(String message) {
		enter(() -> {
			this.onNext.accept(message);
			this.sent.add(message);
		});
	}

	@Override
	public void onError(Throwable thrown) {
		enter(() -> this.sent.add("error " + thrown.getMessage()));
	}

	@Override
	public void onCompleted() {
		enter(() -> this.sent.add("completed"));
	}

	private void enter(Runnable action) {
		if (this.threads.incrementAndGet() > 1) {
			this.shared = true;
		}
		try {
			action.run();
		}
		finally {
			this.threads.decrementAndGet();
		}
	}

	@Override
	public void setOnReadyHandler(Runnable handler) {
		this.onReady = handler;
	}

	@Override
	public void setOnCancelHandler(Runnable handler) {
		this.onCancel = handler;
	}

	@Override
	public boolean isCancelled() {
		return false;
	}

	@Override
	public void setCompression(String compression) {
		throw new UnsupportedOperationException();
	}

	@Override
	public void setMessageCompression(boolean enable) {
		throw new UnsupportedOperationException();
	}

	@Override
	public void disableAutoInboundFlowControl() {
		throw new UnsupportedOperationException();
	}

	@Override
	public void request(int count) {
		throw new UnsupportedOperationException();
	}

}
