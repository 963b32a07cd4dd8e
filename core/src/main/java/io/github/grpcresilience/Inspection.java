package io.github.grpcresilience;

import java.util.List;
import java.util.SortedMap;
import java.util.function.Supplier;

import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.event.WorkCounts;
import io.github.grpcresilience.internal.admission.ServerAdmission;
import io.github.grpcresilience.internal.attempt.AttemptBudget;
import io.github.grpcresilience.internal.connection.Balancing;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.time.CoarseTimer;

/**
 * What is known of calls and policies at this moment. Safe for concurrent use.
 */
public final class Inspection {

	private final ServerSide server;

	private final ClientSide client;

	private final ErrorSettings errors;

	private final Supplier<List<Finding>> more;

	private final WorkCounts work;

	private final CoarseTimer timer;

	Inspection(ServerSide server, ClientSide client, ErrorSettings errors, Supplier<List<Finding>> more,
			WorkCounts work, CoarseTimer timer) {
		this.server = server;
		this.client = client;
		this.errors = errors;
		this.more = more;
		this.work = work;
		this.timer = timer;
	}

	/**
	 * Methods that are served, with their policies and live counts.
	 * @return the methods by name
	 */
	public List<ServedMethod> servedMethods() {
		return this.server.methods().sorted();
	}

	/**
	 * Whether somebody has taken the policy for a server, of which perhaps nothing is
	 * known yet.
	 * @return {@code false} if no call that is served can be protected
	 */
	public boolean isServerProtected() {
		return this.server.isPlaced();
	}

	/**
	 * Methods that clients have called, with their policies and live counts.
	 * @return the methods by name
	 */
	public List<CalledMethod> calledMethods() {
		return this.client.methods();
	}

	/**
	 * What each client may add to its calls in further attempts.
	 * @return the budgets by the name of the client
	 */
	public SortedMap<String, AttemptBudget> attemptBudgets() {
		return this.client.budgets();
	}

	/**
	 * How the calls of each client are spread over its backends, channel by channel.
	 * @return the channels by the name of the client
	 */
	public SortedMap<String, List<Balancing>> channels() {
		return this.client.channels();
	}

	/**
	 * How many calls are let in.
	 * @return limits of the server, with live numbers
	 */
	public ServerAdmission admission() {
		return this.server.admission();
	}

	/**
	 * What works, though perhaps not as meant.
	 * @return the findings of this moment
	 */
	public List<Finding> findings() {
		Findings findings = new Findings();
		this.server.find(findings);
		findings.addAll(this.more.get());
		findings.ofErrors(this.errors);
		this.client.find(findings);
		return findings.found();
	}

	/**
	 * Work that stopped with its calls.
	 * @return live counts
	 */
	public WorkCounts stoppedWork() {
		return this.work;
	}

	/**
	 * Servers that are going away, and those who watch the health of any.
	 * @return a momentary number
	 */
	public int pendingDrains() {
		return this.server.drains().size();
	}

	/**
	 * Timeouts that are still held, cancelled ones among them for up to 100 ms.
	 * @return a momentary number
	 */
	public int pendingTimeouts() {
		return this.timer.size();
	}

}
