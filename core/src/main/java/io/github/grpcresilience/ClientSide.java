package io.github.grpcresilience;

import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;

import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.LateFinding;
import io.github.grpcresilience.internal.attempt.AttemptBudget;
import io.github.grpcresilience.internal.attempt.Attempts;
import io.github.grpcresilience.internal.attempt.ClientChannels;
import io.github.grpcresilience.internal.attempt.hdrhistogram.RecentLatencies;
import io.github.grpcresilience.internal.connection.Balancing;
import io.github.grpcresilience.internal.connection.ClientBalancing;
import io.github.grpcresilience.internal.deadline.ClientDeadlines;
import io.github.grpcresilience.internal.gate.GateClientInterceptor;
import io.github.grpcresilience.internal.gate.ObservedGateInterceptor;
import io.github.grpcresilience.internal.method.AttemptGates;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.CalledMethods;
import io.github.grpcresilience.internal.method.KnownMethods;
import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;

/**
 * What stands around the calls that clients make: the only place that knows the order.
 * Safe for concurrent use.
 *
 * <p>
 * From the stub to the network:
 * <ol>
 * <li>The application's interceptors: meters and traces see one call, whatever the number
 * of its attempts.
 * <li>Deadlines outermost of ours: all attempts share one budget, and what it does not
 * allow is not attempted.
 * <li>Attempts.
 * <li>Gates innermost: a breaker counts attempts, which reach a server, and lets each of
 * them through or not.
 * </ol>
 */
final class ClientSide {

	private final PolicyTable table;

	private final AttemptGates gates;

	private final boolean enforced;

	private final EventSink events;

	private final Threads threads;

	private final CalledServices services;

	private final ConcurrentMap<String, Client> clients = new ConcurrentHashMap<>();

	ClientSide(PolicyTable table, AttemptGates gates, boolean enforced, EventSink events, Threads threads) {
		this.table = table;
		this.gates = gates;
		this.enforced = enforced;
		this.events = events;
		this.threads = threads;
		this.services = new CalledServices(table.targets());
	}

	ClientInterceptor interceptor(String name) {
		return this.clients.computeIfAbsent(name, this::create).interceptor();
	}

	void learn(String name, ManagedChannel channel) {
		if (this.enforced) {
			this.clients.computeIfAbsent(name, this::create).channels().learn(channel);
			if (isOn(name, ConnectionSettings.WARM_UP)) {
				connect(channel);
			}
		}
	}

	private static void connect(ManagedChannel channel) {
		try {
			channel.getState(true);
		}
		catch (UnsupportedOperationException ex) {
			// One of the application's own, which connects when it likes.
		}
	}

	boolean isConnected(String name) {
		Client client = this.clients.get(name);
		return client != null && client.channels().isConnected();
	}

	private boolean isOn(String name, SettingKey<Boolean> key) {
		Setting<?> setting = this.table.connection(name).get(key.name());
		return setting != null && key.cast(setting);
	}

	ClientBalancing balancing(String name) {
		return this.clients.computeIfAbsent(name, this::create).balancing();
	}

	private Client create(String name) {
		Deadline.Ticker ticker = Deadline.getSystemTicker();
		CalledMethods methods = new CalledMethods(this.table, name, this.gates, this.events, this::called);
		AttemptBudget budget = new AttemptBudget(this.table.attemptBudget(), ticker);
		ClientChannels channels = new ClientChannels(this.threads.timer(), ticker,
				() -> ThreadLocalRandom.current().nextDouble(), this.threads.attempts());
		return new Client(methods, budget, channels, balancing(name, ticker),
				this.enforced ? enforcing(name, methods, budget, channels, ticker) : observing(methods, ticker));
	}

	private ClientBalancing balancing(String name, Deadline.Ticker ticker) {
		return new ClientBalancing(isOn(name, ConnectionSettings.OUTLIER_DETECTION), this.threads.timer(), ticker);
	}

	/** From the inside out, as each holds the next one. */
	private ClientInterceptor enforcing(String name, CalledMethods methods, AttemptBudget budget,
			ClientChannels channels, Deadline.Ticker ticker) {
		ClientInterceptor gates = this.table.hasGates() ? new GateClientInterceptor(methods, this.threads.refusals())
				: new PassThroughClient();
		ClientInterceptor attempts = Attempts.interceptor(methods, budget, this.threads.timer(), ticker,
				() -> ThreadLocalRandom.current().nextDouble(), this.threads.attempts(),
				(percentile) -> new RecentLatencies(percentile, ticker), channels, gates);
		return ClientDeadlines.interceptor(methods, name, ticker, this.threads.refusals(), attempts);
	}

	/** In the same order. */
	private ClientInterceptor observing(CalledMethods methods, Deadline.Ticker ticker) {
		ClientInterceptor gates = this.table.hasGates() ? new ObservedGateInterceptor(methods)
				: new PassThroughClient();
		return ClientDeadlines.observing(methods, ticker, Attempts.observing(methods, gates));
	}

	/**
	 * A client is about to call a method for the first time, of which only now something
	 * is known.
	 */
	private void called(CalledMethod known, MethodDescriptor<?, ?> method) {
		Findings findings = new Findings();
		findings.ofCalled(this.table.prefix(), List.of(known));
		if (this.services.add(method)) {
			findings.unmatched(this.table, this.services, method.getServiceName());
		}
		findings.found()
			.stream()
			.filter((finding) -> finding.severity() == Finding.Severity.WARNING)
			.forEach((finding) -> this.events.accept(new LateFinding(Side.CLIENT, finding.subject(), known.client(),
					finding.id(), finding.message(), finding.remedy())));
	}

	List<CalledMethod> methods() {
		return KnownMethods
			.sorted(this.clients.values().stream().map((client) -> client.methods().all()).flatMap(Collection::stream));
	}

	SortedMap<String, AttemptBudget> budgets() {
		SortedMap<String, AttemptBudget> budgets = new TreeMap<>();
		this.clients.forEach((name, client) -> budgets.put(name, client.budget()));
		return budgets;
	}

	SortedMap<String, List<Balancing>> channels() {
		SortedMap<String, List<Balancing>> channels = new TreeMap<>();
		this.clients.forEach((name, client) -> channels.put(name, client.balancing().channels()));
		return channels;
	}

	void find(Findings findings) {
		findings.ofCalled(this.table.prefix(), methods());
		findings.ofChannels(channels());
		findings.unmatched(this.table, this.services, null);
	}

	private record Client(CalledMethods methods, AttemptBudget budget, ClientChannels channels,
			ClientBalancing balancing, ClientInterceptor interceptor) {
	}

}
