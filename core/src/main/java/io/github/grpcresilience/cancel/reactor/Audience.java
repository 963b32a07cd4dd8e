package io.github.grpcresilience.cancel.reactor;

import java.util.List;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import reactor.core.Scannable;
import reactor.core.Scannable.Attr;

/**
 * Who waits for what a subscriber is subscribed to, as far as its class tells (decision
 * 25).
 */
enum Audience {

	/** The call alone: it blocks, or Spring MVC answers the request with it. */
	CALL,

	/** Whoever comes: it is kept, or handed to all that are there. */
	OTHERS,

	/** Anybody: a pool, an operator within a chain, the application. */
	ANYBODY;

	private static final List<String> BLOCKING = List.of("reactor.core.publisher.BlockingSingleSubscriber",
			"reactor.core.publisher.BlockingIterable$SubscriberIterator",
			"org.springframework.web.servlet.mvc.method.annotation.ReactiveTypeHandler$DeferredResultSubscriber",
			"org.springframework.web.servlet.mvc.method.annotation.ReactiveTypeHandler$AbstractEmitterSubscriber");

	private static final List<String> SHARING = List.of("reactor.core.publisher.MonoCacheTime$CoordinatorSubscriber",
			"reactor.core.publisher.MonoCacheInvalidateIf$CoordinatorSubscriber",
			"reactor.core.publisher.MonoCacheInvalidateWhen$CoordinatorSubscriber",
			"reactor.core.publisher.NextProcessor", "reactor.core.publisher.FluxPublish$PublishSubscriber",
			"reactor.core.publisher.FluxReplay$ReplaySubscriber", "reactor.core.publisher.MonoToCompletableFuture");

	/** What Reactor puts around a subscriber when it is subscribed. */
	private static final List<String> WRAPPERS = List.of("ContextWriteRestoringThreadLocalsSubscriber",
			"SuppressFuseableSubscriber");

	private static final ClassValue<Audience> BY_CLASS = new ClassValue<>() {

		@Override
		protected Audience computeValue(Class<?> type) {
			for (Class<?> own = type; own != Object.class; own = own.getSuperclass()) {
				if (BLOCKING.contains(own.getName())) {
					return CALL;
				}
				if (SHARING.contains(own.getName())) {
					return OTHERS;
				}
			}
			return ANYBODY;
		}

	};

	private static final ClassValue<Boolean> WRAPPER = new ClassValue<>() {

		@Override
		protected Boolean computeValue(Class<?> type) {
			return type.getName().startsWith("reactor.core.publisher.")
					&& WRAPPERS.stream().anyMatch(type.getSimpleName()::equals);
		}

	};

	/**
	 * Who waits at the end of the chain that something is a part of.
	 * @param part a subscriber, a subscription, or a task of one
	 */
	static Audience ofChain(Object part) {
		Object last = part;
		for (Object next = part; next != null; next = next(last)) {
			last = next;
		}
		return BY_CLASS.get(last.getClass());
	}

	private static @Nullable Object next(Object part) {
		return (part instanceof Scannable scannable) ? scannable.scanUnsafe(Attr.ACTUAL) : null;
	}

	static Audience of(Subscriber<?> subscriber) {
		Object inner = subscriber;
		while (WRAPPER.get(inner.getClass())) {
			Object actual = Scannable.from(inner).scan(Attr.ACTUAL);
			if (actual == null || actual == inner) {
				return ANYBODY;
			}
			inner = actual;
		}
		return BY_CLASS.get(inner.getClass());
	}

}
