package io.github.grpcresilience.internal.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * The policies of one side. Immutable, safe for concurrent use.
 *
 * <p>
 * Settings are merged field by field: built-in &lt; section &lt; service &lt; exact
 * method; at one level a policy for named clients beats one for all. Values of the
 * section that impose a deadline are for unary calls only and keep that scope wherever
 * they are inherited.
 */
public final class PolicyTable {

	private final PolicyDefinition definition;

	private final Map<SettingKey<?>, Setting<?>> builtIn;

	private final Map<String, List<PolicyLayer>> layersByTarget = new HashMap<>();

	private final Set<String> exemptServices;

	private PolicyTable(PolicyDefinition definition) {
		this.definition = definition;
		this.builtIn = AllSettings.builtIn(definition.side(), definition.prefix());
		for (PolicyLayer layer : definition.policies()) {
			layer.methods()
				.stream()
				.map(Setting::value)
				.distinct()
				.forEach(
						(target) -> this.layersByTarget.computeIfAbsent(target, (key) -> new ArrayList<>()).add(layer));
		}
		this.exemptServices = definition.exemptServices()
			.stream()
			.map(Setting::value)
			.collect(Collectors.toUnmodifiableSet());
	}

	/**
	 * Checks definitions and builds a table of each.
	 * @param definitions the definitions
	 * @return the tables, in the order of the definitions
	 * @throws InvalidPolicyException with every mistake of every definition
	 */
	public static List<PolicyTable> compile(PolicyDefinition... definitions) {
		List<PolicyFault> faults = check(definitions);
		if (!faults.isEmpty()) {
			throw new InvalidPolicyException(faults);
		}
		return List.of(definitions).stream().map(PolicyTable::new).toList();
	}

	/**
	 * Finds every mistake in definitions.
	 * @param definitions the definitions
	 * @return the mistakes; empty if {@link #compile} will succeed
	 */
	public static List<PolicyFault> check(PolicyDefinition... definitions) {
		List<PolicyFault> faults = new ArrayList<>();
		for (PolicyDefinition definition : definitions) {
			faults.addAll(new PolicyCheck(definition, new PolicyTable(definition)).faults());
		}
		return faults;
	}

	/**
	 * Side of the calls that the table is for.
	 * @return the side
	 */
	public Side side() {
		return this.definition.side();
	}

	/**
	 * Start of the names of the properties.
	 * @return the prefix, such as {@code grpc.resilience.server}
	 */
	public String prefix() {
		return this.definition.prefix();
	}

	/**
	 * What the policies name: services and methods, sorted.
	 * @return {@code package.Service} and {@code package.Service/Method}
	 */
	public Set<String> targets() {
		return new TreeSet<>(this.layersByTarget.keySet());
	}

	/**
	 * Property that first names a target.
	 * @param target one of {@link #targets()}
	 * @return where it is written
	 * @throws IllegalArgumentException if no policy names the target
	 */
	public Origin originOf(String target) {
		return this.layersByTarget.getOrDefault(target, List.of())
			.stream()
			.flatMap((layer) -> layer.methods().stream())
			.filter((method) -> method.value().equals(target))
			.findFirst()
			.orElseThrow(() -> new IllegalArgumentException("no policy names " + target))
			.origin();
	}

	/**
	 * Whether calls to a service pass untouched.
	 * @param service full name of the service
	 * @return {@code true} if it is exempt
	 */
	public boolean isExempt(String service) {
		return this.exemptServices.contains(service);
	}

	/**
	 * Whether any method is asked for something that is off by itself.
	 * @param key a setting that is switched on
	 * @return {@code true} if the section or a policy switches it on
	 */
	public boolean switchesOn(SettingKey<Boolean> key) {
		return Stream
			.concat(Stream.of(this.definition.section()),
					this.definition.policies().stream().map(PolicyLayer::settings))
			.map((settings) -> settings.get(key))
			.anyMatch((setting) -> setting != null && setting.value().equals(true));
	}

	/**
	 * Whether a gate stands in the way of any method's attempts.
	 * @return {@code true} if a policy names one
	 */
	public boolean hasGates() {
		return this.definition.policies()
			.stream()
			.anyMatch((layer) -> GateSettings.all().stream().anyMatch(layer.settings()::containsKey));
	}

	/**
	 * Whether any hedge waits for as long as some share of the calls takes.
	 * @param client what was configured, checked or not
	 * @return the setting that asks for it, also where the delay is not written;
	 * {@code null} if there is none
	 */
	public static @Nullable Setting<?> findLiveHedge(PolicyDefinition client) {
		return new PolicyTable(client).findLiveHedge();
	}

	private @Nullable Setting<?> findLiveHedge() {
		for (String target : targets()) {
			for (PolicyLayer layer : layersOf(target)) {
				List<Setting<String>> clients = layer.clients();
				Setting<?> found = clients.isEmpty() ? AttemptSettings.findLiveHedge(merge(target, true, null))
						: clients.stream()
							.map((client) -> AttemptSettings.findLiveHedge(merge(target, true, client.value())))
							.filter(Objects::nonNull)
							.findFirst()
							.orElse(null);
				if (found != null) {
					return found;
				}
			}
		}
		return null;
	}

	/**
	 * Builds the policy of a method that is served; callers keep the result.
	 * @param fullMethodName {@code package.Service/Method}
	 * @param unary whether the method takes one message and answers with one
	 * @return the policy
	 */
	public ServedMethodPolicy resolveServed(String fullMethodName, boolean unary) {
		MergedSettings merged = merge(fullMethodName, unary, null);
		return new ServedMethodPolicy(isExempt(MethodName.serviceOf(fullMethodName)),
				DeadlineSettings.policy(side(), merged), merged.isOn(CancellationSettings.INTERRUPT_ON_CANCEL),
				CancellationSettings.refusesLateCommits(merged), AdmissionSettings.policy(merged),
				merged.byName(AllSettings.of(side())));
	}

	/**
	 * Builds the policy of a method that is called; callers keep the result.
	 * @param fullMethodName {@code package.Service/Method}
	 * @param unary whether the method takes one message and answers with one
	 * @param client name of the client that makes the calls
	 * @return the policy
	 */
	public CalledMethodPolicy resolveCalled(String fullMethodName, boolean unary, String client) {
		MergedSettings merged = merge(fullMethodName, unary, client);
		return new CalledMethodPolicy(isExempt(MethodName.serviceOf(fullMethodName)),
				DeadlineSettings.policy(side(), merged), merged.isOn(RelaySettings.RELAY_AUTH_ERRORS),
				AttemptSettings.policy(merged), merged.byName(AllSettings.of(side())));
	}

	/**
	 * How many calls are let in, all methods together.
	 * @return what the section says
	 */
	public AdmissionPolicy totalAdmission() {
		return AdmissionSettings.policy(total());
	}

	/**
	 * What bounds all methods together, with its origins.
	 * @return settings of the section, by their names
	 */
	public Map<String, Setting<?>> totalSettings() {
		return total().byName(AllSettings.of(side()));
	}

	private MergedSettings total() {
		MergedSettings merged = new MergedSettings();
		merged.layTotal(this.definition.section());
		return merged;
	}

	/**
	 * Whether anything bounds how many calls are let in.
	 * @return {@code true} if the section or a policy does
	 */
	public boolean limitsAdmission() {
		return Stream
			.concat(Stream.of(this.definition.section()),
					this.definition.policies().stream().map(PolicyLayer::settings))
			.anyMatch((settings) -> settings.keySet().stream().anyMatch(AdmissionSettings::isOne));
	}

	/**
	 * How connections are kept.
	 * @param client name of the client; {@code null} on the server
	 * @return the settings of the section, and of the client where they differ, by their
	 * names
	 */
	public Map<String, Setting<?>> connection(@Nullable String client) {
		MergedSettings merged = section();
		this.definition.connections()
			.stream()
			.filter((layer) -> layer.client().value().equals(client))
			.forEach((layer) -> merged.lay(PolicyLevel.SERVICE_OF_CLIENT, layer.settings(), true));
		return merged.byName(ConnectionSettings.of(side()));
	}

	/**
	 * How a server goes away.
	 * @return the settings of the section, by their names
	 */
	public Map<String, Setting<?>> drain() {
		return section().byName(DrainSettings.all());
	}

	/**
	 * What is held back of the budget of work that no policy names.
	 * @return the allowance of the section
	 */
	public Allowance allowance() {
		return DeadlineSettings.policy(side(), section()).allowance();
	}

	/**
	 * How many attempts each client may add to its calls.
	 * @return the budget of the section; of the client's side only
	 */
	public AttemptBudgetPolicy attemptBudget() {
		return AttemptSettings.budget(section());
	}

	private MergedSettings section() {
		MergedSettings merged = new MergedSettings();
		merged.lay(PolicyLevel.BUILT_IN, this.builtIn, true);
		merged.lay(PolicyLevel.SECTION, this.definition.section(), true);
		return merged;
	}

	MergedSettings merge(String target, boolean unary, @Nullable String client) {
		MergedSettings merged = new MergedSettings();
		merged.lay(PolicyLevel.BUILT_IN, this.builtIn, unary);
		merged.lay(PolicyLevel.SECTION, this.definition.section(), unary);
		lay(merged, MethodName.serviceOf(target), unary, client);
		if (MethodName.isMethod(target)) {
			lay(merged, target, unary, client);
		}
		AttemptSettings.decide(merged, prefix());
		if (!unary) {
			AttemptSettings.leaveStreamsTheirTime(merged);
		}
		return merged;
	}

	private void lay(MergedSettings merged, String target, boolean unary, @Nullable String client) {
		List<PolicyLayer> layers = layersOf(target);
		boolean method = MethodName.isMethod(target);
		layers.stream()
			.filter(PolicyLayer::isForAllClients)
			.forEach((layer) -> merged.lay(PolicyLevel.of(method, false), layer.settings(), unary));
		if (client != null) {
			layers.stream()
				.filter((layer) -> layer.isFor(client))
				.forEach((layer) -> merged.lay(PolicyLevel.of(method, true), layer.settings(), unary));
		}
	}

	List<PolicyLayer> layersOf(String target) {
		return this.layersByTarget.getOrDefault(target, List.of());
	}

}
