package io.github.grpcresilience.internal.cancel;

import java.util.List;
import java.util.concurrent.CompletableFuture.AsynchronousCompletionTask;
import java.util.concurrent.Future;

/**
 * What becomes of a task whose call is gone. Leaving out a task must strand nobody who
 * waits for it, and who waits can be told from its class alone.
 */
enum TaskKind {

	/** Whoever waits has the task itself in hands: it is cancelled. */
	FUTURE(true, true),

	/** Submitted to be executed and no more: it is left out. */
	PLAIN(true, true),

	/**
	 * First stage of a CompletableFuture. The JDK passes a refusal on to whoever submits
	 * it; later nobody could complete the future without running it.
	 */
	FIRST_STAGE(true, false),

	/** Somebody may wait for it and could not be told: it runs. */
	AWAITED(false, false),

	/** Belongs to no call, whoever submits it. */
	FOREIGN(false, false);

	private static final List<String> FOREIGNERS = List.of("io.grpc.", "io.netty.", "reactor.", "kotlinx.", "jdk.",
			"sun.");

	/**
	 * Libraries whose tasks wrap other tasks, or stand for queues of them.
	 */
	private static final List<String> LIBRARIES = List.of("java.", "javax.", "jakarta.", "org.springframework.",
			"io.micrometer.", "io.opentelemetry.", "brave.", "com.google.common.", "io.github.resilience4j.",
			"io.reactivex.", "rx.", "io.vertx.", "io.smallrye.", "kotlin.", "scala.", "org.apache.", "org.eclipse.",
			"software.amazon.awssdk.");

	private static final List<String> FIRST_STAGES = List.of("java.util.concurrent.CompletableFuture$AsyncSupply",
			"java.util.concurrent.CompletableFuture$AsyncRun");

	/** Cancelling it hands out a future that nobody will run. */
	private static final String QUEUEING_FUTURE = "java.util.concurrent.ExecutorCompletionService$QueueingFuture";

	private static final ClassValue<TaskKind> BY_CLASS = new ClassValue<>() {

		@Override
		protected TaskKind computeValue(Class<?> type) {
			return decide(type);
		}

	};

	private final boolean refusable;

	private final boolean droppable;

	TaskKind(boolean refusable, boolean droppable) {
		this.refusable = refusable;
		this.droppable = droppable;
	}

	static TaskKind of(Runnable task) {
		return (task instanceof CallFuture<?> future) ? future.kind() : ofClass(task.getClass());
	}

	static TaskKind ofClass(Class<?> type) {
		return BY_CLASS.get(type);
	}

	private static TaskKind decide(Class<?> type) {
		String name = type.getName();
		if (OwnContext.class.isAssignableFrom(type) || startsWithAny(name, FOREIGNERS)) {
			return FOREIGN;
		}
		if (FIRST_STAGES.contains(name)) {
			return FIRST_STAGE;
		}
		if (AsynchronousCompletionTask.class.isAssignableFrom(type) || name.equals(QUEUEING_FUTURE)) {
			return AWAITED;
		}
		if (Future.class.isAssignableFrom(type)) {
			return FUTURE;
		}
		return startsWithAny(name, LIBRARIES) ? AWAITED : PLAIN;
	}

	private static boolean startsWithAny(String name, List<String> prefixes) {
		return prefixes.stream().anyMatch(name::startsWith);
	}

	/**
	 * Whether it may be refused when it is submitted.
	 */
	boolean isRefusable() {
		return this.refusable;
	}

	/**
	 * Whether it may be dropped after it was accepted.
	 */
	boolean isDroppable() {
		return this.droppable;
	}

}
