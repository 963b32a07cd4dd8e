package io.github.grpcresilience.autoconfigure;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.admission.AdmissionUsage;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.policy.Setting;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.status.Reason;

/**
 * {@code /actuator/grpcresilience}: what is asked of each method and where that is
 * written, and how its calls ended. Read-only.
 */
@Endpoint(id = "grpcresilience")
public final class GrpcResilienceEndpoint {

	private final GrpcResilience resilience;

	GrpcResilienceEndpoint(GrpcResilience resilience) {
		this.resilience = resilience;
	}

	/**
	 * The whole picture of this moment.
	 * @return mode, methods of both sides, findings
	 */
	@ReadOperation
	public Description describe() {
		return new Description(SettingKey.render(this.resilience.mode()),
				new ServerMethods(this.resilience.servedMethods().stream().map(this::describe).toList(),
						policy(this.resilience.admission().totalSettings()), this.resilience.admission().totalUsage()),
				new Methods(this.resilience.calledMethods().stream().map(this::describe).toList()), stoppedWork(),
				this.resilience.findings());
	}

	private Map<String, WorkCounts.Sums> stoppedWork() {
		Map<String, WorkCounts.Sums> stopped = new TreeMap<>();
		for (Work work : Work.values()) {
			stopped.put(SettingKey.render(work), this.resilience.stoppedWork().sums(work));
		}
		return stopped;
	}

	private Method describe(KnownMethod method) {
		Map<String, Object> policy = policy(method.policy().exempt() ? Map.of() : method.policy().settings());
		AdmissionUsage admission = (method.client() == null) ? this.resilience.admission().usage(method) : null;
		return new Method(method.name(), method.client(), method.type().name().toLowerCase(Locale.ROOT),
				method.policy().exempt(), policy, method.counts().inFlight(), method.counts().byCode(),
				method.counts().byReason(), admission);
	}

	private static Map<String, Object> policy(Map<String, Setting<?>> settings) {
		Map<String, Object> policy = new TreeMap<>();
		settings.forEach((name, setting) -> put(policy, name, setting));
		return policy;
	}

	/**
	 * Nests as the YAML does: {@code deadline.max} becomes {@code deadline: {max: …}}.
	 */
	@SuppressWarnings("unchecked")
	private static void put(Map<String, Object> policy, String name, Setting<?> setting) {
		int dot = name.indexOf('.');
		if (dot < 0) {
			policy.put(name, Value.of(setting));
		}
		else {
			put((Map<String, Object>) policy.computeIfAbsent(name.substring(0, dot), (key) -> new TreeMap<>()),
					name.substring(dot + 1), setting);
		}
	}

	/**
	 * The answer.
	 *
	 * @param mode {@code enforce} or {@code observe}
	 * @param server methods that are served
	 * @param client methods that clients have called
	 * @param cancellation work that stopped with its call, by kind: {@code statement},
	 * {@code task}, {@code http_exchange}, {@code subscription}
	 * @param findings what works, though perhaps not as meant
	 */
	public record Description(String mode, ServerMethods server, Methods client,
			Map<String, WorkCounts.Sums> cancellation, List<Finding> findings) {
	}

	/**
	 * Methods of one side.
	 *
	 * @param methods the methods by name
	 */
	public record Methods(List<Method> methods) {
	}

	/**
	 * Methods that are served, and what holds for all of them together.
	 *
	 * @param methods the methods by name
	 * @param policy limits on all calls together, nested as in the configuration; each a
	 * {@link Value}
	 * @param admission how far they are used; {@code null} if calls that run at once are
	 * not limited together
	 */
	public record ServerMethods(List<Method> methods, Map<String, Object> policy, @Nullable AdmissionUsage admission) {
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
	 * @param admission how far the method's own limits are used; {@code null} if its
	 * calls that run at once are not limited
	 */
	public record Method(String method, @Nullable String client, String type, boolean exempt,
			Map<String, Object> policy, long inFlight, Map<Status.Code, Long> counts, Map<Reason, Long> reasons,
			@Nullable AdmissionUsage admission) {
	}

	/**
	 * A value of a policy.
	 *
	 * @param value the value as one writes it
	 * @param origin file, line and column, or {@code built-in}
	 * @param property property that holds the value, or would change it
	 */
	public record Value(Object value, String origin, String property) {

		static Value of(Setting<?> setting) {
			boolean plain = setting.value() instanceof Number || setting.value() instanceof Boolean;
			Object value = plain ? setting.value() : SettingKey.render(setting.value());
			return new Value(value, setting.origin().location(), setting.origin().property());
		}

	}

}
