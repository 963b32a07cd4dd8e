package io.github.grpcresilience;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.ErrorTexts;
import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.gate.GateSource;
import io.github.grpcresilience.internal.admission.ServerAdmission;
import io.github.grpcresilience.internal.attempt.hdrhistogram.RecentLatencies;
import io.github.grpcresilience.internal.cancel.http.BudgetHeader;
import io.github.grpcresilience.internal.error.ServerErrors;
import io.github.grpcresilience.internal.gate.PolicyGates;
import io.github.grpcresilience.internal.method.AttemptGates;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;
import io.github.grpcresilience.internal.policy.StartCheck;
import io.github.grpcresilience.policy.ClientPolicies;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.policy.ServerPolicies;

/**
 * Collects what an instance needs. Confined to one thread.
 */
public final class GrpcResilienceBuilder {

	private static final String GIVE_GATES = "give its registry to GrpcResilience.builder().gates";

	private Mode mode = Mode.ENFORCE;

	private String service = "application";

	private PolicyDefinition server = PolicyDefinition.builtIn(Side.SERVER);

	private PolicyDefinition client = PolicyDefinition.builtIn(Side.CLIENT);

	private AttemptGates gates = new PolicyGates(List.of(), GIVE_GATES);

	private EventSink events = (event) -> {
	};

	private ErrorSettings errors = new ErrorSettings("application", ErrorSettings.DEFAULT_DETAILS_BYTES, false);

	private Supplier<List<ErrorMapper<?>>> errorMappers = List::of;

	private Supplier<List<BuiltInErrors>> builtInErrors = List::of;

	private ErrorTexts errorTexts = (key, arguments, locale) -> null;

	private Supplier<@Nullable String> traces = () -> null;

	private @Nullable RequestCheck requestCheck;

	private String budgetHeader = BudgetHeader.DEFAULT_NAME;

	private List<String> budgetHosts = List.of();

	private @Nullable AdaptiveLimits adaptiveLimits;

	private Supplier<List<Finding>> findings = List::of;

	private final List<StartCheck> checks = new ArrayList<>(
			List.of(PolicyTable::check, (server, client) -> this.gates.check(client),
					(server, client) -> ServerAdmission.check(server, this.adaptiveLimits),
					GrpcResilienceBuilder::checkHistograms));

	GrpcResilienceBuilder() {
	}

	/**
	 * Whether decisions take effect.
	 * @param mode the mode; {@code ENFORCE} if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder mode(Mode mode) {
		this.mode = mode;
		return this;
	}

	/**
	 * Name of this application, which callers are told.
	 * @param service the name; {@code application} if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder service(String service) {
		this.service = service;
		return this;
	}

	/**
	 * Policies of one side.
	 * @param definition the policies; built-in ones if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder policies(PolicyDefinition definition) {
		if (definition.side() == Side.SERVER) {
			this.server = definition;
		}
		else {
			this.client = definition;
		}
		return this;
	}

	/**
	 * Writes what is asked of the calls that are served.
	 * @param policies writes the settings that differ from the built-in ones
	 * @return this builder
	 */
	public GrpcResilienceBuilder server(Consumer<ServerPolicies> policies) {
		ServerPolicies written = new ServerPolicies();
		policies.accept(written);
		return policies(written.define());
	}

	/**
	 * Writes what is asked of the calls that clients make.
	 * @param policies writes the settings that differ from the built-in ones
	 * @return this builder
	 */
	public GrpcResilienceBuilder client(Consumer<ClientPolicies> policies) {
		ClientPolicies written = new ClientPolicies();
		policies.accept(written);
		return policies(written.define());
	}

	/**
	 * Looks for further mistakes before anything is started; all are told together.
	 * @param check finds them
	 * @return this builder
	 */
	public GrpcResilienceBuilder check(StartCheck check) {
		this.checks.add(check);
		return this;
	}

	/**
	 * Circuit breakers and limits that client policies name.
	 * @param sources where they come from, such as {@code BreakerInstances}; at most one
	 * for each setting
	 * @return this builder
	 */
	public GrpcResilienceBuilder gates(GateSource... sources) {
		return attemptGates(new PolicyGates(List.of(sources), GIVE_GATES));
	}

	/**
	 * Circuit breakers and limits that client policies name.
	 * @param gates the gates, such as {@link PolicyGates}; none if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder attemptGates(AttemptGates gates) {
		this.gates = gates;
		return this;
	}

	/**
	 * Receives what happens to calls.
	 * @param events the sink; nobody if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder events(EventSink events) {
		this.events = events;
		return this;
	}

	/**
	 * Looks for findings in what surrounds the calls, each time somebody asks.
	 * @param findings the findings of this moment; none if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder findings(Supplier<List<Finding>> findings) {
		this.findings = findings;
		return this;
	}

	/**
	 * How errors are answered.
	 * @param settings the settings; domain {@code application}, 2,500 bytes and no debug
	 * info if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder errors(ErrorSettings settings) {
		this.errors = settings;
		return this;
	}

	/**
	 * Says what exceptions mean.
	 * @param own the application's mappers, asked for when the first error comes
	 * @param builtIn mappers that come with the library, asked for then as well
	 * @return this builder
	 */
	public GrpcResilienceBuilder errorMappers(Supplier<List<ErrorMapper<?>>> own,
			Supplier<List<BuiltInErrors>> builtIn) {
		this.errorMappers = own;
		this.builtInErrors = builtIn;
		return this;
	}

	/**
	 * Texts that errors show to users.
	 * @param texts the texts; none if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder errorTexts(ErrorTexts texts) {
		this.errorTexts = texts;
		return this;
	}

	/**
	 * Names failed calls by their traces.
	 * @param traces id of the trace that the thread is in; {@code null} if it is in none
	 * @return this builder
	 */
	public GrpcResilienceBuilder traces(Supplier<@Nullable String> traces) {
		this.traces = traces;
		return this;
	}

	/**
	 * Looks at requests before handlers do.
	 * @param check the check; nobody looks if not set
	 * @return this builder
	 */
	public GrpcResilienceBuilder requestCheck(RequestCheck check) {
		this.requestCheck = check;
		return this;
	}

	/**
	 * HTTP servers that are told how much time is left.
	 * @param header name of the header; {@code grpc-timeout} if not set
	 * @param hosts host names, or {@code *.domain} for all below a domain; nobody if not
	 * set
	 * @return this builder
	 */
	public GrpcResilienceBuilder budgetHeader(String header, List<String> hosts) {
		this.budgetHeader = header;
		this.budgetHosts = List.copyOf(hosts);
		return this;
	}

	/**
	 * Makes the limits of policies that ask for adaptive ones.
	 * @param limits an adapter to a library, such as {@code NetflixLimits}; if not set,
	 * such policies are a mistake
	 * @return this builder
	 */
	public GrpcResilienceBuilder adaptiveLimits(AdaptiveLimits limits) {
		this.adaptiveLimits = limits;
		return this;
	}

	/**
	 * Builds the instance and starts its timer.
	 * @return the instance
	 * @throws InvalidPolicyException with every mistake in the policies, what they name
	 * and is not there included
	 * @throws IllegalArgumentException if the budget header or a host is malformed
	 */
	public GrpcResilience build() {
		// Before anything is started: invalid policies must leave no thread behind.
		List<PolicyFault> faults = this.checks.stream()
			.flatMap((check) -> check.faults(this.server, this.client).stream())
			.toList();
		if (!faults.isEmpty()) {
			throw new InvalidPolicyException(faults);
		}
		List<PolicyTable> tables = PolicyTable.compile(this.server, this.client);
		return new GrpcResilience(this, tables.get(0), tables.get(1),
				new BudgetHeader(this.budgetHeader, this.budgetHosts, tables.get(1).allowance()));
	}

	String service() {
		return this.service;
	}

	boolean isEnforced() {
		return this.mode == Mode.ENFORCE;
	}

	Mode mode() {
		return this.mode;
	}

	AttemptGates gates() {
		return this.gates;
	}

	EventSink events() {
		return this.events;
	}

	ErrorSettings errorSettings() {
		return this.errors;
	}

	ServerErrors serverErrors() {
		return new ServerErrors(this.errors, this.service, this.errorMappers, this.builtInErrors, this.errorTexts,
				this.traces, this.requestCheck);
	}

	@Nullable AdaptiveLimits adaptiveLimits() {
		return this.adaptiveLimits;
	}

	Supplier<List<Finding>> moreFindings() {
		return this.findings;
	}

	/**
	 * Percentiles need a library that is not there by itself.
	 */
	private static List<PolicyFault> checkHistograms(PolicyDefinition server, PolicyDefinition client) {
		Setting<?> hedge = PolicyTable.findLiveHedge(client);
		return (hedge == null || hasHistograms()) ? List.of()
				: List.of(PolicyFault.of(hedge, "needs a histogram of what calls take",
						"add org.hdrhistogram:HdrHistogram to the dependencies, or write a duration as hedge.delay"));
	}

	private static boolean hasHistograms() {
		try {
			return new RecentLatencies(1, Deadline.getSystemTicker()).percentileNanos() > 0;
		}
		catch (NoClassDefFoundError ex) {
			return false;
		}
	}

}
