package io.github.grpcresilience;

import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

import javax.sql.DataSource;

import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.admission.ServerAdmission;
import io.github.grpcresilience.attempt.AttemptBudget;
import io.github.grpcresilience.attempt.Attempts;
import io.github.grpcresilience.attempt.hdrhistogram.RecentLatencies;
import io.github.grpcresilience.breaker.GateClientInterceptor;
import io.github.grpcresilience.breaker.GateSource;
import io.github.grpcresilience.breaker.PolicyGates;
import io.github.grpcresilience.call.Arrivals;
import io.github.grpcresilience.call.CallGuard;
import io.github.grpcresilience.cancel.CallTasks;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.cancel.hikari.HikariLenders;
import io.github.grpcresilience.cancel.http.BudgetHeader;
import io.github.grpcresilience.cancel.http.CallExchanges;
import io.github.grpcresilience.cancel.jdbc.CallConnections;
import io.github.grpcresilience.cancel.jdbc.CallDataSource;
import io.github.grpcresilience.deadline.ClientDeadlines;
import io.github.grpcresilience.deadline.DeadlineServerInterceptor;
import io.github.grpcresilience.deadline.ObservedServerInterceptor;
import io.github.grpcresilience.deadline.ServedRequests;
import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.ErrorAdvice;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.ErrorTexts;
import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.error.ServerErrors;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.event.ResilienceEvent.LateFinding;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.method.AttemptGates;
import io.github.grpcresilience.method.KnownMethod;
import io.github.grpcresilience.method.KnownMethods;
import io.github.grpcresilience.policy.ClientPolicies;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.Mode;
import io.github.grpcresilience.policy.PolicyDefinition;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.policy.PolicyTable;
import io.github.grpcresilience.policy.ServerPolicies;
import io.github.grpcresilience.policy.Setting;
import io.github.grpcresilience.policy.SettingKey;
import io.github.grpcresilience.policy.Side;
import io.github.grpcresilience.policy.StartCheck;
import io.github.grpcresilience.status.TrailerGuard;
import io.github.grpcresilience.time.CoarseTimer;

/**
 * Puts deadlines around the servers and clients of one application. One instance an
 * application; safe for concurrent use.
 *
 * <p>
 * Without a framework, {@link #protect(ServerBuilder)} and {@link #client(String)} are
 * all there is to call. Frameworks that order interceptors themselves place
 * {@link #arrivals()}, {@link #callGuard()} (outermost) and {@link #callPolicy()} (inside
 * whatever measures calls).
 */
public final class GrpcResilience implements AutoCloseable {

	/**
	 * Cancels wait for a network: a few at a time are enough, and many would be a storm.
	 */
	private static final int LANE_THREADS = 8;

	private final Mode mode;

	private final PolicyTable serverTable;

	private final PolicyTable clientTable;

	private final AttemptGates gates;

	private final EventSink events;

	private final ThreadPoolExecutor answers = HandOver.executor("answer",
			Math.max(2, Runtime.getRuntime().availableProcessors()));

	private final ThreadPoolExecutor cancellations = HandOver.executor("cancel",
			4 * Math.max(2, Runtime.getRuntime().availableProcessors()));

	/**
	 * Apart from the others, because the application's listeners may block its threads.
	 */
	private final ThreadPoolExecutor refusals = HandOver.executor("refuse",
			Math.max(2, Runtime.getRuntime().availableProcessors()));

	/**
	 * Apart from the others, because interceptors of the application may block its
	 * threads.
	 */
	private final ThreadPoolExecutor attempts = HandOver.executor("attempt",
			Math.max(8, 4 * Runtime.getRuntime().availableProcessors()));

	/**
	 * Apart from the others, because drivers and connections of the application may block
	 * its threads. They mostly wait for a network, so there are many.
	 */
	private final ThreadPoolExecutor stops = HandOver.executor("stop",
			Math.max(32, 4 * Runtime.getRuntime().availableProcessors()));

	/**
	 * Threads apart, a few for each data source; their number is that of the data
	 * sources.
	 */
	private final List<ThreadPoolExecutor> lanes = new CopyOnWriteArrayList<>();

	private final CoarseTimer timer = new CoarseTimer(this.answers);

	private final WorkCounts work = new WorkCounts();

	private final WorkCanceller canceller;

	private final CallTasks tasks;

	private final CallExchanges httpExchanges;

	private final KnownMethods served;

	private final Arrivals arrivals;

	private final CallGuard guard;

	private final String service;

	private final ServerAdmission admission;

	private final Supplier<List<Finding>> moreFindings;

	private final ErrorSettings errors;

	private final ServerErrors serverErrors;

	private final ServedRequests requests;

	private final ConcurrentMap<String, Client> clients = new ConcurrentHashMap<>();

	private final CalledServices calledServices;

	/** Why the requests of a method cannot be checked, by the method's name. */
	private final ConcurrentMap<String, String> brokenChecks = new ConcurrentHashMap<>();

	private final List<Server> servers = new CopyOnWriteArrayList<>();

	private GrpcResilience(Builder builder, List<PolicyTable> tables, BudgetHeader budget) {
		this.mode = builder.mode;
		this.serverTable = tables.get(0);
		this.clientTable = tables.get(1);
		this.calledServices = new CalledServices(this.clientTable.targets());
		this.gates = builder.gates;
		this.events = builder.events;
		this.moreFindings = builder.findings;
		this.canceller = new WorkCanceller(isEnforced(), this.stops, this::newLane, this.timer,
				Deadline.getSystemTicker(), this.work, this.events);
		this.tasks = new CallTasks(this.canceller);
		this.httpExchanges = new CallExchanges(this.canceller, budget);
		this.served = new KnownMethods(this.serverTable, null, this.events);
		this.errors = builder.errors;
		this.serverErrors = new ServerErrors(builder.errors, builder.service, builder.errorMappers,
				builder.builtInErrors, builder.errorTexts, builder.traces, builder.requestCheck);
		this.service = builder.service;
		this.arrivals = new Arrivals(this.served, Deadline.getSystemTicker(), this.cancellations);
		this.guard = new CallGuard(this.served, new TrailerGuard(builder.errors.maxDetailsBytes()),
				this.serverErrors.answer());
		this.admission = new ServerAdmission(this.serverTable, isEnforced(), builder.service,
				Deadline.getSystemTicker(), builder.adaptiveLimits);
		this.requests = new ServedRequests(Deadline.getSystemTicker(), this.timer, this.cancellations);
	}

	private Executor newLane() {
		ThreadPoolExecutor lane = HandOver.executor("sql-" + (this.lanes.size() + 1), LANE_THREADS);
		this.lanes.add(lane);
		return lane;
	}

	/**
	 * Starts with the built-in settings.
	 * @return a builder
	 */
	public static Builder builder() {
		return new Builder();
	}

	/**
	 * Whether decisions take effect.
	 * @return the mode
	 */
	public Mode mode() {
		return this.mode;
	}

	private boolean isEnforced() {
		return this.mode == Mode.ENFORCE;
	}

	/**
	 * Protects the calls that a server serves. Call it after all other interceptors are
	 * added: the last one added is the outermost.
	 * @param server the server to be
	 */
	public void protect(ServerBuilder<?> server) {
		server.intercept(callPolicy()).intercept(callGuard()).addStreamTracerFactory(arrivals());
	}

	/**
	 * Notes when calls arrive; belongs to every server that has the interceptors.
	 * @return the tracer factory
	 */
	public ServerStreamTracer.Factory arrivals() {
		return this.arrivals;
	}

	/**
	 * Makes closing a call safe against the handler that still runs; goes outermost.
	 * @return the interceptor
	 */
	public ServerInterceptor callGuard() {
		return isEnforced() ? this.guard : PassThrough.INSTANCE;
	}

	/**
	 * Applies the policies to the calls that are served; goes inside observation.
	 * @return the interceptor
	 */
	public ServerInterceptor callPolicy() {
		return callPolicy(ErrorAdvice.NONE);
	}

	/**
	 * Applies the policies to the calls that are served; goes inside observation.
	 * @param advice exception handlers that the application has written for its
	 * framework; they are asked before our mappers
	 * @return the interceptor
	 */
	public ServerInterceptor callPolicy(ErrorAdvice advice) {
		ServerInterceptor policy = isEnforced() ? new DeadlineServerInterceptor(this.served, this.service,
				Deadline.getSystemTicker(), this.timer, this.serverErrors.failures(advice))
				: new ObservedServerInterceptor(this.served);
		if (this.admission.isOn()) {
			policy = new Nested(policy, this.admission.interceptor());
		}
		return this.serverTable.switchesOn(SettingKey.INTERRUPT_ON_CANCEL)
				? this.tasks.interruptHandlers(policy, this.served) : policy;
	}

	/**
	 * Applies the policies to the calls that one client makes.
	 * @param name name of the client, as policies know it
	 * @return the interceptor; the same one each time for a name
	 */
	public ClientInterceptor client(String name) {
		return this.clients.computeIfAbsent(name, this::createClient).interceptor();
	}

	private Client createClient(String name) {
		KnownMethods methods = KnownMethods.ofClient(this.clientTable, name, this.gates, this.events, this::called);
		AttemptBudget budget = new AttemptBudget(this.clientTable.attemptBudget(), Deadline.getSystemTicker());
		ClientInterceptor gates = this.clientTable.hasGates()
				? new GateClientInterceptor(methods, isEnforced(), this.refusals) : new PassThroughClient();
		ClientInterceptor attempts = Attempts.interceptor(methods, budget, isEnforced(), this.timer,
				Deadline.getSystemTicker(), () -> ThreadLocalRandom.current().nextDouble(), this.attempts,
				(percentile) -> new RecentLatencies(percentile, Deadline.getSystemTicker()), gates);
		return new Client(methods, budget, ClientDeadlines.interceptor(methods, name, isEnforced(),
				Deadline.getSystemTicker(), this.refusals, attempts));
	}

	/**
	 * A client is about to call a method for the first time, of which only now something
	 * is known.
	 */
	private void called(KnownMethod known, MethodDescriptor<?, ?> method) {
		Findings findings = new Findings();
		findings.ofMethods(this.clientTable.prefix(), List.of(known));
		if (this.calledServices.add(method)) {
			findings.unmatched(this.clientTable, this.calledServices, method.getServiceName());
		}
		findings.found()
			.stream()
			.filter((finding) -> finding.severity() == Finding.Severity.WARNING)
			.forEach((finding) -> this.events.accept(new LateFinding(Side.CLIENT, finding.subject(), known.client(),
					finding.id(), finding.message(), finding.remedy())));
	}

	/**
	 * Learns what a server serves, so that it is listed before it is called and policies
	 * that match nothing are found.
	 * @param server a server that was built
	 */
	public void learn(Server server) {
		this.servers.removeIf(Server::isShutdown);
		this.servers.add(server);
		server.getServices()
			.stream()
			.flatMap((service) -> service.getMethods().stream())
			.forEach((method) -> learn(method.getMethodDescriptor()));
	}

	private void learn(MethodDescriptor<?, ?> method) {
		boolean exempt = this.served.of(method).policy().exempt();
		RuntimeException broken = (isEnforced() && !exempt) ? this.serverErrors.prepare(method) : null;
		if (broken != null) {
			this.brokenChecks.put(method.getFullMethodName(), String.valueOf(broken.getMessage()));
		}
	}

	/**
	 * Methods that are served, with their policies and live counts.
	 * @return the methods by name
	 */
	public List<KnownMethod> servedMethods() {
		return sorted(this.served.all().stream());
	}

	/**
	 * Methods that clients have called, with their policies and live counts.
	 * @return the methods by name
	 */
	public List<KnownMethod> calledMethods() {
		return sorted(
				this.clients.values().stream().map((client) -> client.methods().all()).flatMap(Collection::stream));
	}

	/**
	 * What each client may add to its calls in further attempts.
	 * @return the budgets by the name of the client
	 */
	public SortedMap<String, AttemptBudget> attemptBudgets() {
		SortedMap<String, AttemptBudget> budgets = new TreeMap<>();
		this.clients.forEach((name, client) -> budgets.put(name, client.budget()));
		return budgets;
	}

	private static List<KnownMethod> sorted(Stream<KnownMethod> methods) {
		return methods.sorted(Comparator.comparing(KnownMethod::name)).toList();
	}

	/**
	 * How many calls are let in.
	 * @return limits of the server, with live numbers
	 */
	public ServerAdmission admission() {
		return this.admission;
	}

	/**
	 * What works, though perhaps not as meant.
	 * @return the findings of this moment
	 */
	public List<Finding> findings() {
		Findings findings = new Findings();
		List<ServerServiceDefinition> services = this.servers.stream()
			.flatMap((server) -> server.getServices().stream())
			.distinct()
			.toList();
		if (!services.isEmpty()) {
			findings.unmatched(this.serverTable, services);
		}
		findings.idle(this.serverTable, this.servers);
		findings.addAll(this.moreFindings.get());
		findings.ofErrors(this.errors, this.brokenChecks);
		findings.ofMethods(this.serverTable.prefix(), servedMethods());
		findings.ofMethods(this.clientTable.prefix(), calledMethods());
		findings.unmatched(this.clientTable, this.calledServices, null);
		return findings.found();
	}

	/**
	 * What stops the work of calls that nobody waits for; adapters to libraries are built
	 * on it.
	 * @return the canceller
	 */
	public WorkCanceller canceller() {
		return this.canceller;
	}

	/**
	 * Makes statements end with the call that executes them. HikariCP's pools are told
	 * which connections must not be lent again; of others none is ever aborted.
	 * @param dataSource a data source
	 * @return a data source around it
	 */
	public DataSource dataSource(DataSource dataSource) {
		return new CallDataSource(dataSource, new CallConnections(this::canceller, false, Set::of),
				HikariLenders.find(dataSource));
	}

	/**
	 * Makes the tasks that calls submit run in the Context of their call, and not any
	 * more once the call is abandoned.
	 * @param executor an executor
	 * @return an executor around it
	 */
	public Executor executor(Executor executor) {
		return this.tasks.executor(executor);
	}

	/**
	 * Makes the tasks that calls submit run in the Context of their call, and not any
	 * more once the call is abandoned. Shutting down either of the two shuts down the
	 * executor.
	 * @param executor an executor; of a {@link ThreadPoolExecutor} abandoned tasks leave
	 * the queue at once
	 * @return an executor around it
	 */
	public ExecutorService executor(ExecutorService executor) {
		return this.tasks.executor(executor);
	}

	/**
	 * Wraps an HTTP client of the JDK: what it sends for a call ends with the call, body
	 * included, and is not sent once nobody waits for it. Outside of a call nothing
	 * changes.
	 * @param client the client
	 * @return a client with the same settings; close the one that it wraps
	 */
	public HttpClient httpClient(HttpClient client) {
		return this.httpExchanges.client(client);
	}

	/**
	 * HTTP exchanges of the calls that are served; adapters to HTTP clients are built on
	 * it.
	 * @return the exchanges
	 */
	public CallExchanges httpExchanges() {
		return this.httpExchanges;
	}

	/**
	 * Requests that are no gRPC calls, such as those of HTTP, whose work shall have their
	 * budget and end with them; adapters to web servers are built on it.
	 * @return the requests
	 */
	public ServedRequests requests() {
		return this.requests;
	}

	/**
	 * Work that stopped with its calls.
	 * @return live counts
	 */
	public WorkCounts stoppedWork() {
		return this.work;
	}

	/**
	 * Timeouts that are still held, cancelled ones among them for up to 100 ms.
	 * @return a momentary number
	 */
	public int pendingTimeouts() {
		return this.timer.size();
	}

	/**
	 * Ends the threads. Servers and clients must have ended before: nothing is answered
	 * from then on.
	 */
	@Override
	public void close() {
		this.timer.close();
		this.answers.shutdown();
		this.cancellations.shutdown();
		this.refusals.shutdown();
		this.attempts.shutdown();
		this.stops.shutdown();
		this.lanes.forEach(ThreadPoolExecutor::shutdown);
	}

	private record Client(KnownMethods methods, AttemptBudget budget, ClientInterceptor interceptor) {
	}

	/**
	 * Collects what an instance needs. Confined to one thread.
	 */
	public static final class Builder {

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

		private final List<StartCheck> checks = new ArrayList<>(List.of(PolicyTable::check,
				(server, client) -> this.gates.check(client),
				(server, client) -> ServerAdmission.check(server, this.adaptiveLimits), Builder::checkHistograms));

		private Builder() {
		}

		/**
		 * Whether decisions take effect.
		 * @param mode the mode; {@code ENFORCE} if not set
		 * @return this builder
		 */
		public Builder mode(Mode mode) {
			this.mode = mode;
			return this;
		}

		/**
		 * Name of this application, which callers are told.
		 * @param service the name; {@code application} if not set
		 * @return this builder
		 */
		public Builder service(String service) {
			this.service = service;
			return this;
		}

		/**
		 * Policies of one side.
		 * @param definition the policies; built-in ones if not set
		 * @return this builder
		 */
		public Builder policies(PolicyDefinition definition) {
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
		public Builder server(Consumer<ServerPolicies> policies) {
			ServerPolicies written = new ServerPolicies();
			policies.accept(written);
			return policies(written.define());
		}

		/**
		 * Writes what is asked of the calls that clients make.
		 * @param policies writes the settings that differ from the built-in ones
		 * @return this builder
		 */
		public Builder client(Consumer<ClientPolicies> policies) {
			ClientPolicies written = new ClientPolicies();
			policies.accept(written);
			return policies(written.define());
		}

		/**
		 * Looks for further mistakes before anything is started; all are told together.
		 * @param check finds them
		 * @return this builder
		 */
		public Builder check(StartCheck check) {
			this.checks.add(check);
			return this;
		}

		/**
		 * Circuit breakers and limits that client policies name.
		 * @param sources where they come from, such as {@code BreakerInstances}; at most
		 * one for each setting
		 * @return this builder
		 */
		public Builder gates(GateSource... sources) {
			return attemptGates(new PolicyGates(List.of(sources), GIVE_GATES));
		}

		/**
		 * Circuit breakers and limits that client policies name.
		 * @param gates the gates, such as {@link PolicyGates}; none if not set
		 * @return this builder
		 */
		public Builder attemptGates(AttemptGates gates) {
			this.gates = gates;
			return this;
		}

		/**
		 * Receives what happens to calls.
		 * @param events the sink; nobody if not set
		 * @return this builder
		 */
		public Builder events(EventSink events) {
			this.events = events;
			return this;
		}

		/**
		 * Looks for findings in what surrounds the calls, each time somebody asks.
		 * @param findings the findings of this moment; none if not set
		 * @return this builder
		 */
		public Builder findings(Supplier<List<Finding>> findings) {
			this.findings = findings;
			return this;
		}

		/**
		 * How errors are answered.
		 * @param settings the settings; domain {@code application}, 4 KiB and no debug
		 * info if not set
		 * @return this builder
		 */
		public Builder errors(ErrorSettings settings) {
			this.errors = settings;
			return this;
		}

		/**
		 * Says what exceptions mean.
		 * @param own the application's mappers, asked for when the first error comes
		 * @param builtIn mappers that come with the library, asked for then as well
		 * @return this builder
		 */
		public Builder errorMappers(Supplier<List<ErrorMapper<?>>> own, Supplier<List<BuiltInErrors>> builtIn) {
			this.errorMappers = own;
			this.builtInErrors = builtIn;
			return this;
		}

		/**
		 * Texts that errors show to users.
		 * @param texts the texts; none if not set
		 * @return this builder
		 */
		public Builder errorTexts(ErrorTexts texts) {
			this.errorTexts = texts;
			return this;
		}

		/**
		 * Names failed calls by their traces.
		 * @param traces id of the trace that the thread is in; {@code null} if it is in
		 * none
		 * @return this builder
		 */
		public Builder traces(Supplier<@Nullable String> traces) {
			this.traces = traces;
			return this;
		}

		/**
		 * Looks at requests before handlers do.
		 * @param check the check; nobody looks if not set
		 * @return this builder
		 */
		public Builder requestCheck(RequestCheck check) {
			this.requestCheck = check;
			return this;
		}

		/**
		 * HTTP servers that are told how much time is left.
		 * @param header name of the header; {@code grpc-timeout} if not set
		 * @param hosts host names, or {@code *.domain} for all below a domain; nobody if
		 * not set
		 * @return this builder
		 */
		public Builder budgetHeader(String header, List<String> hosts) {
			this.budgetHeader = header;
			this.budgetHosts = List.copyOf(hosts);
			return this;
		}

		/**
		 * Makes the limits of policies that ask for adaptive ones.
		 * @param limits an adapter to a library, such as {@code NetflixLimits}; if not
		 * set, such policies are a mistake
		 * @return this builder
		 */
		public Builder adaptiveLimits(AdaptiveLimits limits) {
			this.adaptiveLimits = limits;
			return this;
		}

		/**
		 * Builds the instance and starts its timer.
		 * @return the instance
		 * @throws InvalidPolicyException with every mistake in the policies, what they
		 * name and is not there included
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
			return new GrpcResilience(this, tables,
					new BudgetHeader(this.budgetHeader, this.budgetHosts, tables.get(1).allowance()));
		}

		/**
		 * Percentiles need a library that is not there by itself.
		 */
		private static List<PolicyFault> checkHistograms(PolicyDefinition server, PolicyDefinition client) {
			Setting<?> hedge = PolicyTable.findLiveHedge(client);
			return (hedge == null || hasHistograms()) ? List.of() : List
				.of(PolicyFault.of(hedge, "needs a histogram of what calls take",
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

}
