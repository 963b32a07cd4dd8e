package io.github.grpcresilience.internal.method;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;

import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * The methods that a server serves, or that one client calls; found by full name in one
 * hash look-up. Only methods that exist are ever added, so a peer cannot make it grow.
 * Safe for concurrent use.
 *
 * @param <M> the methods of the side
 */
public abstract sealed class KnownMethods<M extends KnownMethod> permits ServedMethods, CalledMethods {

	private final ConcurrentMap<String, M> byName = new ConcurrentHashMap<>();

	/**
	 * The entry of a method; added when first asked for.
	 * @param method the method
	 * @return its entry
	 */
	public M of(MethodDescriptor<?, ?> method) {
		M known = this.byName.get(method.getFullMethodName());
		return (known != null) ? known : add(method);
	}

	/**
	 * Outside of the map: whoever makes the parts of an entry may be told of it, and may
	 * make a call.
	 */
	private M add(MethodDescriptor<?, ?> method) {
		M known = create(method);
		M first = this.byName.putIfAbsent(known.name(), known);
		if (first != null) {
			return first;
		}
		added(known, method);
		return known;
	}

	abstract M create(MethodDescriptor<?, ?> method);

	abstract void added(M known, MethodDescriptor<?, ?> method);

	/**
	 * The entry of a method that a peer named.
	 * @param fullMethodName full name as received
	 * @return its entry; {@code null} if the method was not learned of yet, or does not
	 * exist
	 */
	public @Nullable M find(String fullMethodName) {
		return this.byName.get(fullMethodName);
	}

	/**
	 * Every method that is known.
	 * @return the methods of this moment, by name
	 */
	public List<M> sorted() {
		return sorted(this.byName.values().stream());
	}

	/**
	 * Sorts methods.
	 * @param <M> the methods of the side
	 * @param methods the methods
	 * @return the methods by name
	 */
	public static <M extends KnownMethod> List<M> sorted(Stream<M> methods) {
		return methods.sorted(Comparator.comparing(KnownMethod::name)).toList();
	}

	/**
	 * Every method that is known.
	 * @return a live view
	 */
	public Collection<M> all() {
		return this.byName.values();
	}

}
