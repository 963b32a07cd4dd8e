package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Grace;
import io.github.grpcresilience.internal.cancel.WorkCanceller;

/**
 * Connections of one data source whose statements end with the call that executes them.
 * Safe for concurrent use.
 */
public final class CallConnections {

	private volatile Supplier<WorkCanceller> canceller;

	private final Supplier<Set<String>> ownStatements;

	private volatile boolean limitsTime;

	/** Null before the first statement. */
	private volatile @Nullable Set<String> known;

	private final AtomicBoolean loaded = new AtomicBoolean();

	/** Null before the first cancel. */
	@GuardedBy("this")
	private @Nullable Executor lane;

	/** Null before the first connection is given up. */
	@GuardedBy("this")
	private @Nullable Executor aborts;

	/**
	 * Creates the object.
	 * @param canceller what cancels the statements; first asked when a call executes one
	 * @param limitsTime whether statements get the driver's own time limit too, where it
	 * does no harm
	 * @param ownStatements what the pool executes itself, such as the test of a
	 * connection: none of the call's business
	 */
	public CallConnections(Supplier<WorkCanceller> canceller, boolean limitsTime, Supplier<Set<String>> ownStatements) {
		this.canceller = canceller;
		this.limitsTime = limitsTime;
		this.ownStatements = ownStatements;
	}

	/**
	 * Serves another application from now on: a pool, and threads that know its
	 * connections, may be there for longer than the application that it was made for.
	 * @param canceller what cancels the statements, as for a new object
	 * @param limitsTime whether statements get the driver's own time limit too
	 */
	public synchronized void serve(Supplier<WorkCanceller> canceller, boolean limitsTime) {
		if (this.canceller != canceller) {
			this.canceller = canceller;
			this.lane = null;
			this.aborts = null;
		}
		this.limitsTime = limitsTime;
	}

	WorkCanceller canceller() {
		return this.canceller.get();
	}

	boolean limitsTime() {
		return this.limitsTime;
	}

	boolean isOfPool(String sql) {
		Set<String> own = this.known;
		if (own == null) {
			// A pool that executes something has started, and its settings stay.
			own = Set.copyOf(this.ownStatements.get());
			this.known = own;
		}
		return own.contains(sql);
	}

	/**
	 * Threads of this data source alone: a database that does not answer a cancel keeps
	 * no other one from being told.
	 */
	synchronized Executor lane() {
		if (this.lane == null) {
			this.lane = canceller().newLane();
		}
		return this.lane;
	}

	/**
	 * Threads for giving connections up, which some drivers do not do before the
	 * statement ends: so that they keep nobody from being told.
	 */
	synchronized Executor aborts() {
		if (this.aborts == null) {
			this.aborts = canceller().newLane();
		}
		return this.aborts;
	}

	/**
	 * Loads classes while there is time.
	 */
	void loadOnce() {
		CallScope scope = this.loaded.get() ? null : CallScope.current();
		if (scope != null && this.loaded.compareAndSet(false, true)) {
			lane().execute(() -> Execution.load(scope.call()));
		}
	}

	/**
	 * Puts the wrapper around a connection of the driver, beneath a pool.
	 * @param connection a connection that has just been made
	 * @param lender the pool that will lend it
	 * @return the connection for the pool
	 */
	public Connection beneath(Connection connection, ConnectionLender lender) {
		return (connection instanceof CallConnection) ? connection : new CallConnection(connection, this, lender, true);
	}

	/**
	 * Gets a connection, for the call that is being served if there is one, and waits no
	 * longer than the call has time.
	 * @param source where it comes from
	 * @param lender the pool behind the source
	 * @return the connection
	 * @throws SQLException if there is none to be had, or nobody waits for the call any
	 * more; then a status is among its causes
	 */
	public Connection get(Source source, ConnectionLender lender) throws SQLException {
		CallScope scope = CallScope.current();
		Connection connection = (scope == null || scope.isCarried() || !canceller().isEnforced())
				? source.getConnection(Long.MAX_VALUE)
				: scope.call().hasEnded() ? getAfterEnd(scope, source) : getFor(scope.call(), source);
		return (connection instanceof CallConnection) ? connection
				: new CallConnection(connection, this, lender, false);
	}

	/**
	 * The connection as its source handed it out.
	 * @param connection a connection from {@link #get}, or any other one
	 * @return what is inside of it, or the connection itself
	 */
	public static Connection inside(Connection connection) {
		return (connection instanceof CallConnection wrapper) ? wrapper.delegate : connection;
	}

	private Connection getFor(CallRecord call, Source source) throws SQLException {
		long begun = canceller().nanoTime();
		Connection connection;
		try {
			connection = source.getConnection(millis(call.remainingNanos()));
		}
		catch (SQLException ex) {
			throw call.isOver() ? failure(call, ex) : ex;
		}
		if (call.hasEnded() && call.ageAtEndNanos(begun) >= Grace.YOUNG_NANOS) {
			connection.close();
			throw failure(call, null);
		}
		return connection;
	}

	private Connection getAfterEnd(CallScope scope, Source source) throws SQLException {
		Grace grace = scope.grace(Work.STATEMENT);
		long wait = grace.waitNanos();
		if (wait == 0) {
			throw failure(scope.call(), null);
		}
		long begun = canceller().nanoTime();
		try {
			return source.getConnection(millis(wait));
		}
		catch (SQLException ex) {
			throw failure(scope.call(), ex);
		}
		finally {
			grace.waited(canceller().nanoTime() - begun);
		}
	}

	/**
	 * Rounded up, so that the deadline has passed when the wait is over: or else nothing
	 * told its end from an exhausted pool.
	 */
	private static long millis(long nanos) {
		return (nanos != CallRecord.UNLIMITED) ? Math.max(0, TimeUnit.NANOSECONDS.toMillis(nanos)) + 1 : Long.MAX_VALUE;
	}

	private SQLException failure(CallRecord call, @Nullable SQLException thrown) {
		canceller().refused(Work.STATEMENT, call);
		return Execution.failure(call, "waiting for a connection", thrown);
	}

	/**
	 * Where connections come from.
	 */
	@FunctionalInterface
	public interface Source {

		/**
		 * Gets a connection.
		 * @param maxMillis longest time to wait for one, in milliseconds, at least 1;
		 * {@code Long.MAX_VALUE} for as long as the source waits anyway. A source that
		 * cannot tell its pool ignores it
		 * @return the connection
		 * @throws SQLException if there is none to be had
		 */
		Connection getConnection(long maxMillis) throws SQLException;

	}

}
