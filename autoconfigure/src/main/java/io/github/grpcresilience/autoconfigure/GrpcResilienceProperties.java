package io.github.grpcresilience.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.Name;
import org.springframework.util.unit.DataSize;

import io.github.grpcresilience.autoconfigure.edge.EdgeFormat;
import io.github.grpcresilience.policy.CommitAfterEnd;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.MissingDeadline;
import io.github.grpcresilience.policy.Mode;

/**
 * Settings of gRPC Resilience.
 *
 * @param enabled Whether calls are protected; if false, nothing is registered.
 * @param mode Whether decisions take effect (enforce), or are only made and counted while
 * calls stay as they are (observe).
 * @param server Calls that this application serves.
 * @param client Calls that this application makes.
 * @param cancellation Work that stops with its call.
 * @param errors Errors that callers are told.
 * @param edge HTTP requests that gRPC calls are made for.
 */
@ConfigurationProperties("grpc.resilience")
public record GrpcResilienceProperties(@DefaultValue("true") boolean enabled, @DefaultValue("enforce") Mode mode,
		@DefaultValue Server server, @DefaultValue Client client, @DefaultValue Cancellation cancellation,
		@DefaultValue Errors errors, @DefaultValue Edge edge) {

	/**
	 * Errors that callers are told.
	 *
	 * @param domain Domain of reasons that name none (AIP-193); the name of the
	 * application if not set.
	 * @param maxDetailsSize Most that the serialized details of an error take, 256B to
	 * 5KB; what goes beyond is left out, since it would break the caller's connection.
	 * @param debugInfo Whether callers see exceptions that nobody has an answer for, with
	 * their stack traces; never in production.
	 * @param validateRequests Whether requests are checked against the protovalidate
	 * rules of their messages, if protovalidate is on the class path.
	 */
	public record Errors(@Nullable String domain, @DefaultValue("2500B") DataSize maxDetailsSize,
			@DefaultValue("false") boolean debugInfo, @DefaultValue("true") boolean validateRequests) {
	}

	/**
	 * HTTP requests that gRPC calls are made for.
	 *
	 * @param enabled Whether HTTP requests have a budget, and gRPC failures are answered
	 * as HTTP errors.
	 * @param defaultBudget Budget of a request that brings none along, such as 5s; it has
	 * none if not set, and neither have requests that ask for a stream of events.
	 * @param maxBudget Longest budget of a request; a longer one is shortened.
	 * @param deadlineHeaders Headers that may hold a request's budget, the first one that
	 * is there counts: those whose names end in -Ms in whole milliseconds, others in the
	 * form of grpc-timeout. A malformed one is refused with 400 if any property below
	 * grpc.resilience.edge is set, else ignored.
	 * @param format Form in which failures are answered.
	 * @param statusCodes HTTP statuses, 400 to 599, by gRPC status code, in place of the
	 * standard ones.
	 * @param reasons HTTP statuses, 400 to 599, by reason of the ErrorInfo; they come
	 * before those by code.
	 * @param metadata Keys of the ErrorInfo's metadata that clients are shown, * for all.
	 * @param exemptPaths Patterns of paths that are left alone, such as /reports/**.
	 * @param commitAfterEnd What happens to a transaction that is to be committed after
	 * the budget of its request is over: it is committed and counted, or rolled back.
	 */
	// @formatter:off
	public record Edge(@DefaultValue("true") boolean enabled, @Nullable Duration defaultBudget,
			@DefaultValue("24h") Duration maxBudget,
			@DefaultValue({ "grpc-timeout", "X-Envoy-Expected-Rq-Timeout-Ms" }) List<String> deadlineHeaders,
			@DefaultValue("problem") EdgeFormat format, @DefaultValue Map<String, Integer> statusCodes,
			@DefaultValue Map<String, Integer> reasons,
			@DefaultValue({ "budget_ms", "elapsed_ms", "queue_ms", "side" }) List<String> metadata,
			@DefaultValue List<String> exemptPaths, @DefaultValue("allow") CommitAfterEnd commitAfterEnd) {
		// @formatter:on
	}

	/**
	 * Work that stops with its call.
	 *
	 * @param jdbc SQL statements.
	 * @param executors Tasks in executors.
	 * @param http HTTP requests that are made.
	 * @param reactor Subscriptions to Reactor publishers.
	 */
	public record Cancellation(@DefaultValue JdbcWork jdbc, @DefaultValue ExecutorWork executors,
			@DefaultValue HttpWork http, @DefaultValue ReactorWork reactor) {
	}

	/**
	 * SQL statements.
	 *
	 * @param enabled Whether statements end with the call that executes them, on the
	 * pools of HikariCP, Tomcat and Commons DBCP.
	 * @param exemptBeans Names of DataSource beans that are left alone.
	 * @param beans How a DataSource bean is covered, by its name: pool, beneath a pool
	 * that is known, which is the default; or proxy, by a proxy in front of it, whatever
	 * it is, which also waits for connections of HikariCP no longer than the call has
	 * time.
	 * @param queryTimeout Whether statements of handlers also get the driver's own time
	 * limit, in whole seconds, where it does no harm (PostgreSQL).
	 */
	public record JdbcWork(@DefaultValue("true") boolean enabled, @DefaultValue List<String> exemptBeans,
			@DefaultValue Map<String, JdbcCover> beans, @DefaultValue("false") boolean queryTimeout) {
	}

	/**
	 * How a DataSource bean is covered.
	 */
	public enum JdbcCover {

		/** Beneath a pool that is known. */
		POOL,

		/** By a proxy in front of it. */
		PROXY

	}

	/**
	 * Tasks in executors.
	 *
	 * @param enabled Whether tasks of @Async methods that return a future belong to the
	 * call that begins them, and those of the executors that are named below beans.
	 * @param exemptBeans Names of executor beans that are left alone.
	 * @param beans To whom the tasks of an executor bean belong, by its name: call, to
	 * the call that submits them; or nobody, which is the default but for @Async methods
	 * that return a future.
	 */
	public record ExecutorWork(@DefaultValue("true") boolean enabled, @DefaultValue List<String> exemptBeans,
			@DefaultValue Map<String, TaskOwner> beans) {
	}

	/**
	 * To whom the tasks of an executor belong.
	 */
	public enum TaskOwner {

		/** To the call that submits them. */
		CALL,

		/** To nobody. */
		NOBODY

	}

	/**
	 * HTTP requests that are made.
	 *
	 * @param enabled Whether requests of RestClient, RestTemplate and WebClient end with
	 * their call.
	 * @param budgetHeader Name of the header that tells budget-hosts how much of the
	 * budget is left, in the form of grpc-timeout.
	 * @param budgetHosts Hosts that are told the remaining budget: names, or *.domain for
	 * all below a domain; none if empty.
	 */
	public record HttpWork(@DefaultValue("true") boolean enabled, @DefaultValue("grpc-timeout") String budgetHeader,
			@DefaultValue List<String> budgetHosts) {
	}

	/**
	 * Subscriptions to Reactor publishers.
	 *
	 * @param enabled Whether publishers see the call on every scheduler, and
	 * subscriptions that the call alone waits for end with it.
	 */
	public record ReactorWork(@DefaultValue("true") boolean enabled) {
	}

	/**
	 * Calls that this application serves.
	 *
	 * @param deadline Deadlines of unary calls that no policy names.
	 * @param exemptServices Services whose calls pass untouched; health, reflection and
	 * channelz if not set.
	 * @param policies Policies under names of your choice (lower-case letters, digits,
	 * dashes); each one overrides field by field what it inherits.
	 * @param admission How many calls are let in, all methods together.
	 * @param connection How connections are kept; what is set with the properties of your
	 * gRPC starter wins.
	 * @param virtualThreads Whether handlers run on virtual threads where
	 * spring.threads.virtual.enabled is true, unless your application has given the
	 * server an executor.
	 * @param drain How the server goes away.
	 */
	public record Server(@DefaultValue ServerDeadline deadline, @Nullable List<String> exemptServices,
			@DefaultValue Map<String, ServerPolicy> policies, @DefaultValue TotalAdmission admission,
			@DefaultValue ServerConnection connection, @DefaultValue("false") boolean virtualThreads,
			@DefaultValue ServerDraining drain) {
	}

	/**
	 * How the server goes away when the application ends.
	 *
	 * @param pause How long everything is still served while health and readiness say
	 * that nothing more shall be sent, 0 to 1h; for what learns of it late, such as
	 * Kubernetes' endpoints.
	 * @param limit How long calls in flight may go on after it, within their deadlines, 0
	 * to 1h; what is left then ends as UNAVAILABLE. 0 does not wait for them. The grace
	 * period of your gRPC starter holds where it is shorter.
	 */
	public record ServerDraining(@DefaultValue("0s") Duration pause, @DefaultValue("20s") Duration limit) {
	}

	/**
	 * How connections of the server are kept.
	 *
	 * @param maxAge How old a connection may get, give or take a tenth, before its calls
	 * go to a new one, so that new servers are found; streams stay where they are. 0 for
	 * any age.
	 * @param maxAgeGrace How long calls and streams of a connection that is too old may
	 * go on; for ever if not set.
	 * @param keepalive How clients that are dead are noticed.
	 */
	public record ServerConnection(@DefaultValue("30m") Duration maxAge, @Nullable Duration maxAgeGrace,
			@DefaultValue ServerKeepalive keepalive) {
	}

	/**
	 * How clients that are dead are noticed; as your gRPC starter does if not set.
	 *
	 * @param time After how much silence a client is asked whether it lives, at least 1s;
	 * 0 for never.
	 * @param timeout How long its answer may take.
	 * @param permitTime Least time between two such questions of a client; one that asks
	 * more often loses its connection.
	 * @param permitWithoutCalls Whether clients may ask while they make no call.
	 */
	public record ServerKeepalive(@Nullable Duration time, @Nullable Duration timeout, @Nullable Duration permitTime,
			@Nullable Boolean permitWithoutCalls) {
	}

	/**
	 * How many calls are let in, all methods together but those of exempt services; no
	 * method inherits it as a limit of its own. Calls beyond are refused with
	 * RESOURCE_EXHAUSTED.
	 *
	 * @param maxConcurrent Most calls that run at once, streams included, 1 or more; no
	 * limit if not set.
	 * @param adaptive Whether the unary calls that run at once are limited by how long
	 * they take: the limit grows while they take no longer than on an idle server, up to
	 * max-concurrent, and shrinks when they queue.
	 * @param maxPerSecond Most calls that start within a second, 0.001 to 1000000, as
	 * many of them at once after a pause; no limit if not set.
	 */
	public record TotalAdmission(@Nullable Integer maxConcurrent, @DefaultValue("false") boolean adaptive,
			@Nullable Double maxPerSecond) {
	}

	/**
	 * Deadlines of unary calls that no policy names.
	 *
	 * @param missing What happens to a call whose caller sent no deadline: the default is
	 * applied, the call is rejected with INVALID_ARGUMENT, or it is allowed to run
	 * without one.
	 * @param defaultBudget Budget of a call whose caller sent no deadline, counted from
	 * its arrival.
	 * @param max Longest budget of a call; a longer deadline is shortened, none is ever
	 * extended.
	 * @param answerMargin How long before its deadline a call that still runs is
	 * answered.
	 */
	public record ServerDeadline(@DefaultValue("default") MissingDeadline missing,
			@Name("default") @DefaultValue("5s") Duration defaultBudget, @DefaultValue("24h") Duration max,
			@DefaultValue AnswerMargin answerMargin) {
	}

	/**
	 * How long before its deadline a call that still runs is answered.
	 *
	 * @param fraction Share of the call's budget, 0 to 1.
	 * @param min Least margin; it never exceeds a tenth of the budget, 0 turns the bound
	 * off.
	 * @param max Greatest margin.
	 */
	public record AnswerMargin(@DefaultValue("0.02") double fraction, @DefaultValue("5ms") Duration min,
			@DefaultValue("25ms") Duration max) {
	}

	/**
	 * Settings of the named methods; what is not set is inherited.
	 *
	 * @param methods Full names: package.Service/Method for one method, package.Service
	 * for all methods of a service.
	 * @param deadline Deadlines, of streams too.
	 * @param interruptOnCancel Whether threads that work for a call, its handler's and
	 * those of its tasks, are interrupted when the call is cancelled; false if not set.
	 * @param commitAfterEnd What happens to a transaction that is to be committed after
	 * its call has ended: it is committed and counted (allow, if not set), or rolled back
	 * (refuse).
	 * @param admission How many calls of each named method are let in.
	 */
	public record ServerPolicy(@DefaultValue List<String> methods, @Nullable ServerDeadlineOverride deadline,
			@Nullable Boolean interruptOnCancel, @Nullable CommitAfterEnd commitAfterEnd,
			@Nullable Admission admission) {
	}

	/**
	 * How many calls of each named method are let in; what is not set is inherited from a
	 * policy for the service. Calls beyond are refused with RESOURCE_EXHAUSTED.
	 *
	 * @param maxConcurrent Most calls that run at once, 1 or more.
	 * @param adaptive Whether the unary calls that run at once are limited by how long
	 * they take, never above max-concurrent.
	 * @param maxPerSecond Most calls that start within a second, 0.001 to 1000000.
	 */
	public record Admission(@Nullable Integer maxConcurrent, @Nullable Boolean adaptive,
			@Nullable Double maxPerSecond) {
	}

	/**
	 * Deadlines of the named methods, streams included; what is not set is inherited.
	 *
	 * @param missing What happens to a call whose caller sent no deadline.
	 * @param defaultBudget Budget of a call whose caller sent no deadline, counted from
	 * its arrival.
	 * @param max Longest budget of a call; a longer deadline is shortened, none is ever
	 * extended.
	 * @param answerMargin How long before its deadline a call that still runs is
	 * answered.
	 */
	public record ServerDeadlineOverride(@Nullable MissingDeadline missing,
			@Name("default") @Nullable Duration defaultBudget, @Nullable Duration max,
			@Nullable AllowanceOverride answerMargin) {
	}

	/**
	 * Share of a budget that is held back; what is not set is inherited.
	 *
	 * @param fraction Share of the budget, 0 to 1.
	 * @param min Lower bound, 0 turns it off.
	 * @param max Upper bound.
	 */
	public record AllowanceOverride(@Nullable Double fraction, @Nullable Duration min, @Nullable Duration max) {
	}

	/**
	 * Calls that this application makes.
	 *
	 * @param deadline Deadlines of unary calls that no policy names.
	 * @param attemptBudget How many attempts each client may add to its calls, retries
	 * and hedges together.
	 * @param policies Policies under names of your choice (lower-case letters, digits,
	 * dashes); each one overrides field by field what it inherits.
	 * @param connection How connections are kept; what is set with the properties of your
	 * gRPC starter wins.
	 * @param connections The same for single clients, by their names, field by field,
	 * such as connections.inventory.keepalive.time.
	 */
	public record Client(@DefaultValue ClientDeadline deadline, @DefaultValue AttemptBudget attemptBudget,
			@DefaultValue Map<String, ClientPolicy> policies, @DefaultValue ClientConnection connection,
			@DefaultValue Map<String, ClientConnectionOverride> connections) {
	}

	/**
	 * How connections of clients are kept.
	 *
	 * @param outlierDetection Whether a backend is left alone for a while that fails, or
	 * says nothing, while others answer.
	 * @param warmUp Whether to connect when the application starts, which is ready once
	 * that is done or connect-timeout is over, instead of with the first call.
	 * @param connectTimeout How long one address is tried before the next one is.
	 * @param keepalive How servers that are dead are noticed.
	 */
	public record ClientConnection(@DefaultValue("true") boolean outlierDetection,
			@DefaultValue("false") boolean warmUp, @DefaultValue("5s") Duration connectTimeout,
			@DefaultValue ClientKeepalive keepalive) {
	}

	/**
	 * How servers that are dead are noticed.
	 *
	 * @param time After how much silence a server is asked whether it lives, at least
	 * 10s; 0 for never. A server closes connections on which it is asked more often than
	 * it permits, which is every 5m unless it was told otherwise.
	 * @param timeout How long its answer may take.
	 * @param withoutCalls Whether to ask while there is no call.
	 */
	public record ClientKeepalive(@DefaultValue("6m") Duration time, @DefaultValue("10s") Duration timeout,
			@DefaultValue("false") boolean withoutCalls) {
	}

	/**
	 * How connections of one client are kept; what is not set is inherited.
	 *
	 * @param outlierDetection Whether a backend is left alone for a while that fails, or
	 * says nothing, while others answer.
	 * @param warmUp Whether to connect when the application starts, which is ready once
	 * that is done or connect-timeout is over, instead of with the first call.
	 * @param connectTimeout How long one address is tried before the next one is.
	 * @param keepalive How servers that are dead are noticed.
	 */
	public record ClientConnectionOverride(@Nullable Boolean outlierDetection, @Nullable Boolean warmUp,
			@Nullable Duration connectTimeout, @Nullable ClientKeepaliveOverride keepalive) {
	}

	/**
	 * How servers that are dead are noticed; what is not set is inherited.
	 *
	 * @param time After how much silence a server is asked whether it lives, at least
	 * 10s; 0 for never.
	 * @param timeout How long its answer may take.
	 * @param withoutCalls Whether to ask while there is no call.
	 */
	public record ClientKeepaliveOverride(@Nullable Duration time, @Nullable Duration timeout,
			@Nullable Boolean withoutCalls) {
	}

	/**
	 * How many attempts each client may add to its calls, retries and hedges together.
	 *
	 * @param ratio Attempts that each call adds to the budget, 0 to 1.
	 * @param minPerSecond Attempts that each second adds to the budget, so that clients
	 * of few calls have some.
	 * @param window How long what was added may be kept, 1s to 1h; a client starts with
	 * what the seconds of one window add.
	 */
	public record AttemptBudget(@DefaultValue("0.1") double ratio, @DefaultValue("1") double minPerSecond,
			@DefaultValue("10s") Duration window) {
	}

	/**
	 * Deadlines of unary calls that no policy names.
	 *
	 * @param missing What happens to a call without a deadline of its own that inherits
	 * none: the default is applied, the call fails with INVALID_ARGUMENT without being
	 * sent, or it is allowed to run without one.
	 * @param defaultBudget Budget of a call without a deadline of its own.
	 * @param max Longest budget of a call; a longer deadline is shortened, none is ever
	 * extended.
	 * @param reserve Part of an inherited budget that this application keeps for itself.
	 */
	public record ClientDeadline(@DefaultValue("default") MissingDeadline missing,
			@Name("default") @DefaultValue("2s") Duration defaultBudget, @DefaultValue("24h") Duration max,
			@DefaultValue Reserve reserve) {
	}

	/**
	 * Part of an inherited budget that this application keeps for itself.
	 *
	 * @param fraction Share of what remains of the budget when the call is made, 0 to 1.
	 * @param min Least that is kept; it never exceeds half of what remains, 0 turns the
	 * bound off.
	 * @param max Most that is kept.
	 */
	public record Reserve(@DefaultValue("0.05") double fraction, @DefaultValue("10ms") Duration min,
			@DefaultValue("100ms") Duration max) {
	}

	/**
	 * Settings of the named methods; what is not set is inherited.
	 *
	 * @param clients Names of the clients that the policy is for; all if empty.
	 * @param methods Full names: package.Service/Method for one method, package.Service
	 * for all methods of a service.
	 * @param deadline Deadlines, of streams too.
	 * @param relayAuthErrors Whether callers are told that these methods refused a call
	 * with UNAUTHENTICATED or PERMISSION_DENIED, because they are called with the
	 * caller's own credentials; false if not set: then it is INTERNAL.
	 * @param idempotent Whether calls may be made more than once; what the proto says if
	 * not set.
	 * @param retry Further attempts after a failure; none if not set.
	 * @param hedge Further attempts beside one that takes long; none if not set.
	 * @param circuitBreaker Circuit breaker of resilience4j that calls pass; none if not
	 * set.
	 * @param rateLimiter Rate limiter of resilience4j that calls pass; none if not set.
	 * @param bulkhead Bulkhead of resilience4j that calls pass; none if not set.
	 */
	public record ClientPolicy(@DefaultValue List<String> clients, @DefaultValue List<String> methods,
			@Nullable ClientDeadlineOverride deadline, @Nullable Boolean relayAuthErrors, @Nullable Boolean idempotent,
			@Nullable Retry retry, @Nullable Hedge hedge, @Nullable CircuitBreakerUse circuitBreaker,
			@Nullable RateLimiterUse rateLimiter, @Nullable BulkheadUse bulkhead) {
	}

	/**
	 * Further attempts after a failure. What is not set is inherited.
	 *
	 * @param maxAttempts Most attempts of a call, the first included, 1 to 10.
	 * @param retryableStatusCodes Codes after which there is another attempt.
	 * @param initialBackoff Wait before the second attempt.
	 * @param maxBackoff Longest wait.
	 * @param backoffMultiplier Factor from one wait to the next, 1 to 100.
	 * @param jitter Share by which a wait is lengthened or shortened at random, 0 to 1.
	 * @param attemptTimeout Longest time of one attempt from when it is sent, of a stream
	 * up to its response headers and only where the policy names the method itself; only
	 * the deadline of the call if not set.
	 */
	public record Retry(@Nullable Integer maxAttempts, @Nullable Set<Status.Code> retryableStatusCodes,
			@Nullable Duration initialBackoff, @Nullable Duration maxBackoff, @Nullable Double backoffMultiplier,
			@Nullable Double jitter, @Nullable Duration attemptTimeout) {
	}

	/**
	 * Further attempts beside one that takes long. What is not set is inherited.
	 *
	 * @param maxAttempts Most attempts of a call, the first included, 1 to 10.
	 * @param delay How long an attempt may take before the next one is made: a duration,
	 * or a percentile of what calls have taken lately, such as p95.
	 * @param nonFatalStatusCodes Codes after which the next attempt is made at once; any
	 * other failure ends the call.
	 */
	public record Hedge(@Nullable Integer maxAttempts, @Nullable HedgeDelay delay,
			@Nullable Set<Status.Code> nonFatalStatusCodes) {
	}

	/**
	 * Circuit breaker of resilience4j that calls pass; only one of the two is set.
	 *
	 * @param instance Name below resilience4j.circuitbreaker.instances, of one circuit
	 * breaker that all methods of the policy share.
	 * @param config Name below resilience4j.circuitbreaker.configs, for one circuit
	 * breaker a client and method, named
	 * grpc.&lt;client&gt;.&lt;Service&gt;.&lt;Method&gt;.
	 */
	public record CircuitBreakerUse(@Nullable String instance, @Nullable String config) {
	}

	/**
	 * Rate limiter of resilience4j that calls pass.
	 *
	 * @param instance Name below resilience4j.ratelimiter.instances; calls never wait,
	 * whatever its timeout-duration.
	 */
	public record RateLimiterUse(@Nullable String instance) {
	}

	/**
	 * Bulkhead of resilience4j that calls pass.
	 *
	 * @param instance Name below resilience4j.bulkhead.instances; one without a
	 * max-wait-duration.
	 */
	public record BulkheadUse(@Nullable String instance) {
	}

	/**
	 * Deadlines of the named methods, streams included; what is not set is inherited.
	 *
	 * @param missing What happens to a call without a deadline of its own that inherits
	 * none.
	 * @param defaultBudget Budget of a call without a deadline of its own.
	 * @param max Longest budget of a call; a longer deadline is shortened, none is ever
	 * extended.
	 * @param reserve Part of an inherited budget that this application keeps for itself.
	 */
	public record ClientDeadlineOverride(@Nullable MissingDeadline missing,
			@Name("default") @Nullable Duration defaultBudget, @Nullable Duration max,
			@Nullable AllowanceOverride reserve) {
	}

}
