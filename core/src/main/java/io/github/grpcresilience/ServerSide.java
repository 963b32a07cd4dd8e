package io.github.grpcresilience;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;

import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.internal.admission.ServerAdmission;
import io.github.grpcresilience.internal.call.Arrivals;
import io.github.grpcresilience.internal.call.CallGuard;
import io.github.grpcresilience.internal.cancel.CallTasks;
import io.github.grpcresilience.internal.deadline.DeadlineServerInterceptor;
import io.github.grpcresilience.internal.deadline.ObservedServerInterceptor;
import io.github.grpcresilience.internal.drain.ServerDrains;
import io.github.grpcresilience.internal.error.ErrorAdvice;
import io.github.grpcresilience.internal.error.ServerErrors;
import io.github.grpcresilience.internal.method.ServedMethods;
import io.github.grpcresilience.internal.policy.CancellationSettings;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.status.TrailerGuard;

/**
 * What stands around the calls that are served: the only place that knows the order. Safe
 * for concurrent use.
 *
 * <p>
 * From the network to the handler:
 * <ol>
 * <li>{@link Arrivals} as a tracer, on the transport thread: only there is the time known
 * at which a call came, before it waits for its executor.
 * <li>{@link CallGuard} outermost: whoever sends or closes, interceptors of the
 * application included, goes through the call's lock, and nothing larger than the
 * connection bears leaves. Around it, for those who watch the health of the server,
 * {@link ServerDrains}: they would hold it when it shall go.
 * <li>The application's interceptors: meters, traces, security, its framework's advice.
 * They see what we answer, since that passes through them.
 * <li>{@link DeadlineServerInterceptor}: from here on the call has its deadline, its
 * Context and its scope, and what the handler throws is translated. Inside of meters, so
 * that they count what callers are told.
 * <li>Admission: after the deadline, so that a call which has expired in the queue takes
 * nobody's place; before the handler's work is queued.
 * <li>Interruption, right around the handler: it ends with the callback, so that an
 * interrupt hits nobody else on that thread.
 * </ol>
 */
final class ServerSide {

	private final PolicyTable table;

	private final ServedMethods methods;

	private final String service;

	private final boolean enforced;

	private final Threads threads;

	private final CallTasks tasks;

	private final ServerErrors errors;

	private final ServerAdmission admission;

	private final Arrivals arrivals;

	private final ServerDrains drains;

	private final ServerInterceptor guard;

	/** Whether somebody has taken the policy, for a server that need not be learnt of. */
	private volatile boolean placed;

	private final List<Server> servers = new CopyOnWriteArrayList<>();

	/** Why the requests of a method cannot be checked, by the method's name. */
	private final ConcurrentMap<String, String> brokenChecks = new ConcurrentHashMap<>();

	ServerSide(PolicyTable table, ServedMethods methods, String service, boolean enforced, ServerErrors errors,
			TrailerGuard trailers, @Nullable AdaptiveLimits adaptive, Threads threads, CallTasks tasks) {
		Deadline.Ticker ticker = Deadline.getSystemTicker();
		this.table = table;
		this.methods = methods;
		this.service = service;
		this.enforced = enforced;
		this.threads = threads;
		this.tasks = tasks;
		this.errors = errors;
		this.admission = new ServerAdmission(table, enforced, service, ticker, adaptive);
		this.arrivals = new Arrivals(methods, ticker, threads.cancellations());
		this.drains = new ServerDrains(service, ticker, threads.timer());
		this.guard = enforced ? new Nested(this.drains.watches(), new CallGuard(methods, trailers, errors.answer()))
				: PassThrough.INSTANCE;
	}

	Arrivals arrivals() {
		return this.arrivals;
	}

	ServerInterceptor guard() {
		return this.guard;
	}

	boolean isPlaced() {
		return this.placed;
	}

	ServerInterceptor policy(ErrorAdvice advice) {
		this.placed = true;
		ServerInterceptor policy = this.enforced
				? new DeadlineServerInterceptor(this.methods, this.service, Deadline.getSystemTicker(),
						this.threads.timer(), this.errors.failures(advice), this.drains)
				: new ObservedServerInterceptor(this.methods);
		if (this.admission.isOn()) {
			policy = new Nested(policy, this.admission.interceptor());
		}
		return this.table.switchesOn(CancellationSettings.INTERRUPT_ON_CANCEL)
				? this.tasks.interruptHandlers(policy, this.methods) : policy;
	}

	void learn(Server server) {
		this.servers.removeIf(Server::isShutdown);
		this.servers.add(server);
		server.getServices()
			.stream()
			.flatMap((service) -> service.getMethods().stream())
			.forEach((method) -> learn(method.getMethodDescriptor()));
	}

	private void learn(MethodDescriptor<?, ?> method) {
		boolean exempt = this.methods.of(method).policy().exempt();
		RuntimeException broken = (this.enforced && !exempt) ? this.errors.prepare(method) : null;
		if (broken != null) {
			this.brokenChecks.put(method.getFullMethodName(), String.valueOf(broken.getMessage()));
		}
	}

	ServedMethods methods() {
		return this.methods;
	}

	ServerDrains drains() {
		return this.drains;
	}

	ServerAdmission admission() {
		return this.admission;
	}

	void find(Findings findings) {
		List<ServerServiceDefinition> services = this.servers.stream()
			.flatMap((server) -> server.getServices().stream())
			.distinct()
			.toList();
		if (!services.isEmpty()) {
			findings.unmatched(this.table, services);
		}
		findings.idle(this.table, this.servers);
		findings.ofBrokenChecks(this.brokenChecks);
		findings.ofServed(this.table.prefix(), this.methods.sorted());
	}

}
