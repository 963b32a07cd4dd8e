package io.github.grpcresilience.method;

import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.policy.PolicyTable;

/**
 * The methods that a server serves, or that one client calls; found by full name in one
 * hash look-up. Only methods that exist are ever added, so a peer cannot make it grow.
 * Safe for concurrent use.
 */
public final class KnownMethods {

	private final ConcurrentMap<String, KnownMethod> byName = new ConcurrentHashMap<>();

	private final PolicyTable table;

	private final @Nullable String client;

	private final EventSink events;

	/**
	 * Creates the index.
	 * @param table where policies come from
	 * @param client name of the client; {@code null} for the server
	 * @param events receives what happens to calls
	 */
	public KnownMethods(PolicyTable table, @Nullable String client, EventSink events) {
		this.table = table;
		this.client = client;
		this.events = events;
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
		return this.byName.computeIfAbsent(method.getFullMethodName(),
				(name) -> new KnownMethod(this.table.side(), name, method.getType(),
						method.isIdempotent() || method.isSafe(), this.client,
						this.table.resolve(name, method.getType() == MethodType.UNARY, this.client), this.events));
	}

	/**
	 * Every method that is known.
	 * @return a live view
	 */
	public Collection<KnownMethod> all() {
		return this.byName.values();
	}

	/**
	 * Whether calls to a method pass untouched. For what a peer named, which need not
	 * exist.
	 * @param fullMethodName full name as received
	 * @return {@code true} if its service is exempt
	 */
	public boolean isExempt(String fullMethodName) {
		KnownMethod known = this.byName.get(fullMethodName);
		if (known != null) {
			return known.policy().exempt();
		}
		int slash = fullMethodName.lastIndexOf('/');
		return slash > 0 && this.table.isExempt(fullMethodName.substring(0, slash));
	}

}
