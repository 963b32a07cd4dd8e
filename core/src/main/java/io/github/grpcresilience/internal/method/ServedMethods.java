package io.github.grpcresilience.internal.method;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.internal.policy.PolicyTable;

/**
 * The methods that a server serves.
 */
public final class ServedMethods extends KnownMethods<ServedMethod> {

	private final PolicyTable table;

	private final EventSink events;

	/**
	 * Knows none at first.
	 * @param table where policies come from
	 * @param events receives what happens to calls
	 */
	public ServedMethods(PolicyTable table, EventSink events) {
		this.table = table;
		this.events = events;
	}

	@Override
	ServedMethod create(MethodDescriptor<?, ?> method) {
		return new ServedMethod(method,
				this.table.resolveServed(method.getFullMethodName(), method.getType() == MethodType.UNARY),
				this.events);
	}

	@Override
	void added(ServedMethod known, MethodDescriptor<?, ?> method) {
		// Nobody waits for it.
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
