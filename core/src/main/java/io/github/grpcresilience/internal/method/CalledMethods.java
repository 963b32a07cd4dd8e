package io.github.grpcresilience.internal.method;

import java.util.function.BiConsumer;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.internal.policy.CalledMethodPolicy;
import io.github.grpcresilience.internal.policy.PolicyTable;

/**
 * The methods that one client calls.
 */
public final class CalledMethods extends KnownMethods<CalledMethod> {

	private final PolicyTable table;

	private final String client;

	private final AttemptGates gates;

	private final EventSink events;

	private final BiConsumer<CalledMethod, MethodDescriptor<?, ?>> added;

	/**
	 * Knows none at first.
	 * @param table where policies come from
	 * @param client name of the client
	 * @param gates finds the gates of its methods
	 * @param events receives what happens to calls
	 * @param added told of each method before its first call
	 */
	public CalledMethods(PolicyTable table, String client, AttemptGates gates, EventSink events,
			BiConsumer<CalledMethod, MethodDescriptor<?, ?>> added) {
		this.table = table;
		this.client = client;
		this.gates = gates;
		this.events = events;
		this.added = added;
	}

	@Override
	CalledMethod create(MethodDescriptor<?, ?> method) {
		String name = method.getFullMethodName();
		CalledMethodPolicy policy = this.table.resolveCalled(name, method.getType() == MethodType.UNARY, this.client);
		return new CalledMethod(method, this.client, policy,
				policy.exempt() ? null : this.gates.find(policy, this.client, name), this.events);
	}

	@Override
	void added(CalledMethod known, MethodDescriptor<?, ?> method) {
		this.added.accept(known, method);
	}

}
