package io.github.grpcresilience.cancel.jdbc;

import java.lang.reflect.Field;
import java.util.List;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;

/**
 * What listens to a Context. grpc-java does not tell, so its fields are read.
 */
final class Listeners {

	private static final Field LISTENERS = field(CancellableContext.class, "listeners");

	private static final Field ANCESTOR = field(Context.class, "cancellableAncestor");

	private Listeners() {
	}

	private static Field field(Class<?> type, String name) {
		try {
			Field field = type.getDeclaredField(name);
			field.setAccessible(true);
			return field;
		}
		catch (NoSuchFieldException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static int of(CancellableContext context) {
		List<?> registered = (List<?>) value(LISTENERS, context);
		return (registered != null) ? registered.size() : 0;
	}

	/** Of the Context and of everything that it descends from. */
	static int inAllOf(Context context) {
		CancellableContext ancestor = (CancellableContext) value(ANCESTOR, context);
		return ((context instanceof CancellableContext own) ? of(own) : 0)
				+ ((ancestor != null) ? inAllOf(ancestor) : 0);
	}

	private static Object value(Field field, Context context) {
		try {
			return field.get(context);
		}
		catch (IllegalAccessException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
