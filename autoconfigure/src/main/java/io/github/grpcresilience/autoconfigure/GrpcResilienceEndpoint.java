package io.github.grpcresilience.autoconfigure;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.event.AttemptEnd;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.internal.admission.AdmissionUsage;
import io.github.grpcresilience.internal.connection.BackendState;
import io.github.grpcresilience.internal.connection.Balancing;
import io.github.grpcresilience.internal.event.AttemptCounts;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.KnownMethod;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.status.Reason;

/**
 * {@code /actuator/grpcresilience}: what is asked of each method and where that is
 * written, and how its calls ended. Read-only.
 */
@Endpoint(id = "grpcresilience")
public final class GrpcResilienceEndpoint {

	private final GrpcResilience resilience;

	private final ConnectionValues connections;

	GrpcResilienceEndpoint(GrpcResilience resilience, ConnectionValues connections) {
		this.resilience = resilience;
		this.connections = connections;
	}

	/**
	 * The whole picture of this moment.
	 * @return mode, methods of both sides, findings
	 */
	@ReadOperation
	public Description describe() {
		return new Description(SettingText.of(this.resilience.mode()),
				new ServerMethods(this.resilience.inspection().servedMethods().stream().map(this::describe).toList(),
						policy(this.resilience.inspection().admission().totalSettings()),
						this.resilience.inspection().admission().totalUsage(), this.connections.ofServer(), drain()),
				new Client(this.resilience.inspection().calledMethods().stream().map(this::describe).toList(),
						budgets(), connections()),
				stoppedWork(), this.resilience.inspection().stoppedWork().commits(),
				this.resilience.inspection().findings());
	}

	private Map<String, Object> drain() {
		Map<String, Object> values = new TreeMap<>();
		this.resilience.drain()
			.settings()
			.forEach((name, setting) -> values.put(name.substring("drain.".length()), Value.of(setting)));
		return values;
	}

	private Map<String, Map<String, Object>> connections() {
		Map<String, Map<String, Object>> connections = new TreeMap<>();
		this.resilience.inspection()
			.attemptBudgets()
			.keySet()
			.forEach((client) -> connections.put(client, connections(client)));
		return connections;
	}

	private Map<String, Object> connections(String client) {
		Map<String, Object> values = this.connections.ofClient(client);
		List<Balancing> channels = this.resilience.inspection().channels().getOrDefault(client, List.of());
		values.put("balancing", channels.stream().map(BalancedChannel::of).distinct().toList());
		values.put("addresses", channels.stream().map(Balancing::states).flatMap(List::stream).toList());
		return values;
	}

	private Map<String, Budget> budgets() {
		Map<String, Budget> budgets = new TreeMap<>();
		this.resilience.inspection()
			.attemptBudgets()
			.forEach((client, budget) -> budgets.put(client, new Budget(budget.available(), budget.taken())));
		return budgets;
	}

	private Map<String, WorkCounts.Sums> stoppedWork() {
		Map<String, WorkCounts.Sums> stopped = new TreeMap<>();
		for (Work work : Work.values()) {
			stopped.put(SettingText.of(work), this.resilience.inspection().stoppedWork().sums(work));
		}
		return stopped;
	}

	private Method describe(ServedMethod method) {
		return describe(method, null, null, this.resilience.inspection().admission().usage(method));
	}

	private Method describe(CalledMethod method) {
		AttemptCounts counts = method.attemptCounts();
		int max = method.attempts().maxAttempts();
		Attempts attempts = (max > 1)
				? new Attempts(max, counts.furtherAttempts(), counts.rescuedCalls(), counts.ends()) : null;
		return describe(method, method.client(), attempts, null);
	}

	private static Method describe(KnownMethod method, @Nullable String client, @Nullable Attempts attempts,
			@Nullable AdmissionUsage admission) {
		boolean exempt = method.policy().exempt();
		return new Method(method.name(), client, method.type().name().toLowerCase(Locale.ROOT), exempt,
				policy(exempt ? Map.of() : method.settings()), method.counts().inFlight(), method.counts().byCode(),
				method.counts().byReason(), attempts, admission);
	}

	private static Map<String, Object> policy(Map<String, Setting<?>> settings) {
		Map<String, Object> policy = new TreeMap<>();
		settings.forEach((name, setting) -> put(policy, name, Value.of(setting)));
		return policy;
	}

	/**
	 * Nests as the YAML does: {@code deadline.max} becomes {@code deadline: {max: …}}.
	 */
	@SuppressWarnings("unchecked")
	static void put(Map<String, Object> policy, String name, Value value) {
		int dot = name.indexOf('.');
		if (dot < 0) {
			policy.put(name, value);
		}
		else {
			put((Map<String, Object>) policy.computeIfAbsent(name.substring(0, dot), (key) -> new TreeMap<>()),
					name.substring(dot + 1), value);
		}
	}

	/**
	 * The answer.
	 *
	 * @param mode {@code enforce} or {@code observe}
	 * @param server methods that are served
	 * @param client methods that clients have called, and what further attempts they have
	 * left
	 * @param cancellation work that stopped with its call, by kind: {@code statement},
	 * {@code task}, {@code http_exchange}, {@code subscription}
	 * @param commits transactions that were to be committed after the end of their call
	 * @param findings what works, though perhaps not as meant
	 */
	public record Description(String mode, ServerMethods server, Client client,
			Map<String, WorkCounts.Sums> cancellation, WorkCounts.Commits commits, List<Finding> findings) {
	}

	/**
	 * The side of the clients.
	 *
	 * @param methods the methods by name
	 * @param attemptBudgets what each client may add to its calls in further attempts
	 * @param connections how the connections of each client are kept, nested as in the
	 * configuration; each a {@link Value}, whose property is one of the gRPC starter's
	 * where that one wins. Beside them {@code balancing}, a {@link BalancedChannel} for
	 * each way in which the client's channels spread their calls, and {@code addresses},
	 * a {@link BackendState} each
	 */
	public record Client(List<Method> methods, Map<String, Budget> attemptBudgets,
			Map<String, Map<String, Object>> connections) {
	}

	/**
	 * How a channel spreads its calls.
	 *
	 * @param policy policy of gRPC that chooses
	 * @param state {@code used}; {@code none} before the first call, or where the
	 * application has set another policy; {@code replaced} where a service config names
	 * another one, so that further attempts go anywhere and no backend is left alone
	 */
	public record BalancedChannel(String policy, String state) {

		static BalancedChannel of(Balancing balancing) {
			return new BalancedChannel(balancing.policy(), SettingText.of(balancing.use()));
		}

	}

	/**
	 * A budget of further attempts.
	 *
	 * @param available attempts that could be added now
	 * @param taken attempts that were added since the start
	 */
	public record Budget(long available, long taken) {
	}

	/**
	 * Attempts of one method.
	 *
	 * @param max most attempts of a call
	 * @param further attempts beyond the first of each call; in mode {@code observe}
	 * those that would have been made
	 * @param rescued calls that only succeeded because there was more than one attempt
	 * @param ended failed calls that were not attempted again although their code would
	 * have allowed it, by cause
	 */
	public record Attempts(int max, long further, long rescued, Map<AttemptEnd, Long> ended) {
	}

	/**
	 * Methods that are served, and what holds for all of them together.
	 *
	 * @param methods the methods by name
	 * @param policy limits on all calls together, nested as in the configuration; each a
	 * {@link Value}
	 * @param admission how far they are used; {@code null} if calls that run at once are
	 * not limited together
	 * @param connection how connections are kept, nested as in the configuration; each a
	 * {@link Value}, whose property is one of the gRPC starter's where that one wins
	 * @param drain how the server goes away; each a {@link Value}
	 */
	public record ServerMethods(List<Method> methods, Map<String, Object> policy, @Nullable AdmissionUsage admission,
			Map<String, Object> connection, Map<String, Object> drain) {
	}

	/**
	 * One method.
	 *
	 * @param method full name
	 * @param client client that calls it; {@code null} on the server side
	 * @param type {@code unary}, {@code server_streaming}, {@code client_streaming} or
	 * {@code bidi_streaming}
	 * @param exempt whether its calls pass untouched
	 * @param policy values that apply, nested as in the configuration; none if exempt;
	 * each a {@link Value}
	 * @param inFlight calls that have started and not ended
	 * @param counts ended calls by status code
	 * @param reasons calls that we ended or refused, or in mode {@code observe} would
	 * have
	 * @param attempts attempts of its calls; {@code null} if they are made once
	 * @param admission how far the method's own limits are used; {@code null} if its
	 * calls that run at once are not limited
	 */
	public record Method(String method, @Nullable String client, String type, boolean exempt,
			Map<String, Object> policy, long inFlight, Map<Status.Code, Long> counts, Map<Reason, Long> reasons,
			@Nullable Attempts attempts, @Nullable AdmissionUsage admission) {
	}

	/**
	 * A value of a policy.
	 *
	 * @param value the value as one writes it
	 * @param origin file, line and column, {@code proto}, or {@code built-in}
	 * @param property property that holds the value, or would change it
	 */
	public record Value(Object value, String origin, String property) {

		static Value of(Setting<?> setting) {
			boolean plain = setting.value() instanceof Number || setting.value() instanceof Boolean;
			Object value = plain ? setting.value() : (setting.value() instanceof Set<?> codes)
					? codes.stream().map(String::valueOf).sorted().toList() : SettingText.of(setting.value());
			return new Value(value, setting.origin().location(), setting.origin().property());
		}

	}

}
