package io.github.grpcresilience.cancel.reactor;

import java.util.List;

import org.reactivestreams.Subscriber;
import reactor.core.Scannable;
import reactor.core.Scannable.Attr;

/**
 * Tells by the class of a subscriber whether the call alone waits for what it is
 * subscribed to: who blocks does, and so does Spring MVC for the request that it answers.
 * Anybody may wait for what others have subscribed to: a pool, a cache, a future, an
 * operator within a chain (decision 25).
 */
final class AwaitedSubscribers {

	private static final List<String> NAMES = List.of("reactor.core.publisher.BlockingSingleSubscriber",
			"reactor.core.publisher.BlockingIterable$SubscriberIterator",
			"org.springframework.web.servlet.mvc.method.annotation.ReactiveTypeHandler$DeferredResultSubscriber",
			"org.springframework.web.servlet.mvc.method.annotation.ReactiveTypeHandler$AbstractEmitterSubscriber");

	/** What Reactor puts around a subscriber when it is subscribed. */
	private static final List<String> WRAPPERS = List.of("ContextWriteRestoringThreadLocalsSubscriber",
			"SuppressFuseableSubscriber");

	private static final ClassValue<Boolean> AWAITED = new ClassValue<>() {

		@Override
		protected Boolean computeValue(Class<?> type) {
			for (Class<?> own = type; own != Object.class; own = own.getSuperclass()) {
				if (NAMES.contains(own.getName())) {
					return true;
				}
			}
			return false;
		}

	};

	private static final ClassValue<Boolean> WRAPPER = new ClassValue<>() {

		@Override
		protected Boolean computeValue(Class<?> type) {
			return type.getName().startsWith("reactor.core.publisher.")
					&& WRAPPERS.stream().anyMatch(type.getSimpleName()::equals);
		}

	};

	private AwaitedSubscribers() {
	}

	static boolean isAwaited(Subscriber<?> subscriber) {
		Object inner = subscriber;
		while (WRAPPER.get(inner.getClass())) {
			Object actual = Scannable.from(inner).scan(Attr.ACTUAL);
			if (actual == null || actual == inner) {
				return false;
			}
			inner = actual;
		}
		return AWAITED.get(inner.getClass());
	}

}
