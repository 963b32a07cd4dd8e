package io.github.grpcresilience.internal.method;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.internal.policy.MethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyTable;

/**
 * The methods that a server serves, or that one client calls; found by full name in one
 * hash look-up. Only methods that exist are ever added, so a peer cannot make it grow.
 * Safe for concurrent use.
 */
public final class KnownMethods {

	private final ConcurrentMap<String, KnownMethod> byName = new ConcurrentHashMap<>();

	private final PolicyTable table;

	private final @Nullable String client;

	private final @Nullable AttemptGates gates;

	private final EventSink events;

	private final BiConsumer<KnownMethod, MethodDescriptor<?, ?>> added;

	private KnownMethods(PolicyTable table, @Nullable String client, @Nullable AttemptGates gates, EventSink events,
			BiConsumer<KnownMethod, MethodDescriptor<?, ?>> added) {
		this.table = table;
		this.client = client;
		this.gates = gates;
		this.events = events;
		this.added = added;
	}

	/**
	 * Creates the index of a server, or of a client that has no gates.
	 * @param table where policies come from
	 * @param client name of the client; {@code null} for the server
	 * @param events receives what happens to calls
	 */
	public KnownMethods(PolicyTable table, @Nullable String client, EventSink events) {
		this(table, client, null, events, (known, method) -> {
		});
	}

	/**
	 * Creates the index of a client.
	 * @param table where policies come from
	 * @param client name of the client
	 * @param gates finds the gates of its methods
	 * @param events receives what happens to calls
	 * @param added told of each method before its first call
	 * @return the index
	 */
	public static KnownMethods ofClient(PolicyTable table, String client, AttemptGates gates, EventSink events,
			BiConsumer<KnownMethod, MethodDescriptor<?, ?>> added) {
		return new KnownMethods(table, client, gates, events, added);
	}

	/**
	 * The entry of a method; added when first asked for.
	 * @param method the method
	 * @return its entry
	 */
	public KnownMethod of(MethodDescriptor<?, ?> method) {
		KnownMethod known = this.byName.get(method.getFullMethodName());
		return (known != null) ? known : add(method);
	}

	private KnownMethod add(MethodDescriptor<?, ?> method) {
		String name = method.getFullMethodName();
		MethodPolicy policy = this.table.resolve(name, method.getType() == MethodType.UNARY, this.client);
		KnownMethod known = new KnownMethod(this.table.side(), name, method.getType(),
				method.isIdempotent() || method.isSafe(), this.client, policy, findGate(policy, name), this.events);
		KnownMethod first = this.byName.putIfAbsent(name, known);
		if (first != null) {
			return first;
		}
		this.added.accept(known, method);
		return known;
	}

	/**
	 * Outside of the map: who creates a gate may be told of it, and may make a call.
	 */
	private @Nullable AttemptGate findGate(MethodPolicy policy, String name) {
		return (this.gates != null && this.client != null && !policy.exempt())
				? this.gates.find(policy, this.client, name) : null;
	}

	/**
	 * The entry of a method that a peer named.
	 * @param fullMethodName full name as received
	 * @return its entry; {@code null} if the method was not learned of yet, or does not
	 * exist
	 */
	public @Nullable KnownMethod find(String fullMethodName) {
		return this.byName.get(fullMethodName);
	}

	/**
	 * Every method that is known.
	 * @return the methods of this moment, by name
	 */
	public List<KnownMethod> sorted() {
		return sorted(this.byName.values().stream());
	}

	/**
	 * Sorts methods.
	 * @param methods the methods
	 * @return the methods by name
	 */
	public static List<KnownMethod> sorted(Stream<KnownMethod> methods) {
		return methods.sorted(Comparator.comparing(KnownMethod::name)).toList();
	}

	/**
	 * Every method that is known.
	 * @return a live view
	 */
	public Collection<KnownMethod> all() {
		return this.byName.values();
	}

	/**
	 * Whether calls to a method pass untouched that is not known yet. For what a peer
	 * named, which need not exist.
	 * @param fullMethodName full name as received
	 * @return {@code true} if its service is exempt
	 */
	public boolean isExempt(String fullMethodName) {
		int slash = fullMethodName.lastIndexOf('/');
		return slash > 0 && this.table.isExempt(fullMethodName.substring(0, slash));
	}

}
