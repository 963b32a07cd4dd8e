package io.github.grpcresilience.internal.admission;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;

import io.grpc.Deadline;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.internal.admission.Gate.Scope;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.AdmissionPolicy;
import io.github.grpcresilience.internal.policy.AdmissionSettings;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.ServedMethodPolicy;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.status.RetryDelay;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * How many of the calls that are served are let in. Safe for concurrent use.
 */
public final class ServerAdmission {

	/** Whoever is overloaded must not be taken for dead. */
	private static final String NEVER_LIMITED = "grpc.health.v1.Health/";

	private final PolicyTable table;

	private final @Nullable AdaptiveLimits adaptive;

	private final Deadline.Ticker ticker;

	private final Limits total;

	private final boolean hasTotal;

	/** Only methods that exist are ever added. */
	private final ConcurrentMap<ServedMethod, MethodAdmission> methods = new ConcurrentHashMap<>();

	private final ServerInterceptor interceptor;

	/**
	 * Creates the limits.
	 * @param table policies of the server
	 * @param enforced {@code false} to decide and count only
	 * @param service name of this application, for what callers are told
	 * @param ticker source of time
	 * @param adaptive makes adaptive limits; {@code null} if nobody can, which
	 * {@link #check} finds
	 */
	public ServerAdmission(PolicyTable table, boolean enforced, String service, Deadline.Ticker ticker,
			@Nullable AdaptiveLimits adaptive) {
		this.table = table;
		this.adaptive = adaptive;
		this.ticker = ticker;
		AdmissionPolicy all = table.totalAdmission();
		this.total = Limits.of(all, Scope.SERVER, adaptive, ticker);
		this.hasTotal = !all.isOff();
		this.interceptor = new AdmissionInterceptor(this, enforced, new AdmissionAnswer(service, new RetryDelay()));
	}

	/**
	 * Finds settings that ask for an adaptive limit where nobody can make one.
	 * @param server what was configured
	 * @param adaptive makes adaptive limits; {@code null} if nobody can
	 * @return the mistakes
	 */
	public static List<PolicyFault> check(PolicyDefinition server, @Nullable AdaptiveLimits adaptive) {
		List<PolicyFault> faults = new ArrayList<>();
		if (adaptive == null) {
			Stream.concat(Stream.of(server.section()), server.policies().stream().map(PolicyLayer::settings))
				.map((settings) -> settings.get(AdmissionSettings.ADAPTIVE))
				.filter((setting) -> setting != null && setting.value().equals(true))
				.forEach((setting) -> faults.add(new PolicyFault(setting.origin().property(),
						setting.origin().location(), "true", "needs a library that is not on the class path",
						"add the dependency com.netflix.concurrency-limits:concurrency-limits-core,"
								+ " or set max-concurrent instead")));
		}
		return faults;
	}

	/**
	 * Whether there is any limit.
	 * @return {@code false} if the interceptor is not needed
	 */
	public boolean isOn() {
		return this.table.limitsAdmission();
	}

	/**
	 * Goes inside of deadlines and of whatever measures calls.
	 * @return the interceptor
	 */
	public ServerInterceptor interceptor() {
		return this.interceptor;
	}

	/**
	 * What calls of a method have to pass.
	 * @return {@code null} if they are exempt, or if nothing is limited
	 */
	@Nullable MethodAdmission find(ServedMethod method) {
		ServedMethodPolicy policy = method.policy();
		if (policy.exempt() || (!this.hasTotal && policy.admission().isOff())) {
			return null;
		}
		MethodAdmission found = this.methods.get(method);
		return (found != null) ? found : this.methods.computeIfAbsent(method, this::create);
	}

	private MethodAdmission create(ServedMethod method) {
		if (method.name().startsWith(NEVER_LIMITED)) {
			return MethodAdmission.OPEN;
		}
		Limits own = Limits.of(method.policy().admission(), Scope.METHOD, this.adaptive, this.ticker);
		return new MethodAdmission(own, Limits.gates(own, this.total, method.type() == MethodType.UNARY));
	}

	/**
	 * How far the limits of a method are used.
	 * @param method a method of the server
	 * @return the use; {@code null} if its calls that run at once are not limited
	 */
	public @Nullable AdmissionUsage usage(ServedMethod method) {
		MethodAdmission found = find(method);
		return (found != null) ? found.usage() : null;
	}

	/**
	 * How far the limits of all methods together are used.
	 * @return the use; {@code null} if calls that run at once are not limited
	 */
	public @Nullable AdmissionUsage totalUsage() {
		return this.total.usage();
	}

	/**
	 * What limits all methods together, with its origins.
	 * @return the settings by their names
	 */
	public Map<String, Setting<?>> totalSettings() {
		return this.table.totalSettings();
	}

}
