package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLNonTransientException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkFate;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallRecord.EndListener;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.Grace;
import io.github.grpcresilience.internal.cancel.CallEnd;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.time.Timeout;

/**
 * One driver call that ends with the gRPC call that makes it (decisions 10, 22 and 23).
 *
 * <p>
 * Three threads meet here. The one that executes begins and ends it. The one that ends
 * the gRPC call, perhaps a transport's, only hands over. A thread of the pool's lane
 * tells the driver. The driver is told only while the executing thread is inside of it:
 * ending waits for a cancel that has begun, so that none can hit the connection's next
 * statement.
 */
final class Execution implements EndListener {

	/** How long a driver may take to cancel, and a statement to end then. */
	static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

	/**
	 * A cancel that comes just before the server begins with the statement is lost: so it
	 * is asked again until the statement ends.
	 */
	private static final long FIRST_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

	/**
	 * Some drivers go on with the next statement of a batch, so it is asked often enough
	 * for each.
	 */
	private static final long LONGEST_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(80);

	private static final int UNCHANGED = -1;

	/** SQL:2008 and what drivers use: the statement was cancelled. */
	private static final String QUERY_CANCELED = "57014";

	/** The class of states that it belongs to, none of which is a broken connection. */
	private static final String INTERVENTION = "57000";

	private final Statement statement;

	private final CallConnection connection;

	private final CallScope scope;

	private final CallRecord call;

	private final Kind kind;

	private final WorkCanceller canceller;

	/** When the statement was executed, perhaps before this. */
	private final long executedNanos;

	private final long begunNanos;

	/** Of what was carried here: its interrupts say whether anybody still waits. */
	private final @Nullable Thread thread;

	/** Owned by the executing thread. */
	private CallRecord.@Nullable Registration registration;

	/** Owned by the executing thread: the timeout to put back. */
	private int ownTimeout = UNCHANGED;

	/** Written before it is registered: whether its call has done nothing else here. */
	private boolean first;

	/** The executing thread has left the driver. */
	@GuardedBy("this")
	private boolean ended;

	/** It goes on after the end of its call, for a while. */
	@GuardedBy("this")
	private boolean late;

	/** The driver is being told to cancel. */
	@GuardedBy("this")
	private boolean cancelling;

	/** When it was decided to cancel; 0 before. */
	@GuardedBy("this")
	private long cancelledNanos;

	/** The driver was told to cancel, with success or without. */
	@GuardedBy("this")
	private boolean told;

	/** What happens next if the statement does not end. */
	@GuardedBy("this")
	private @Nullable Timeout next;

	/** When the driver's time is up. */
	@GuardedBy("this")
	private @Nullable Timeout patience;

	private Execution(Statement statement, CallConnection connection, CallScope scope, Kind kind, long executedNanos,
			long begunNanos) {
		this.statement = statement;
		this.connection = connection;
		this.scope = scope;
		this.call = scope.call();
		this.kind = kind;
		this.canceller = connection.canceller();
		this.executedNanos = executedNanos;
		this.begunNanos = begunNanos;
		this.thread = scope.isCarried() ? Thread.currentThread() : null;
	}

	/**
	 * Runs a statement, on the thread that wants its result.
	 * @throws SQLException what the driver threw, or that the call has ended
	 */
	static <T> T execute(Statement statement, CallConnection connection, CallScope scope, SqlWork<T> work)
			throws SQLException {
		long now = scope.call().ticker().nanoTime();
		return new Execution(statement, connection, scope, Kind.EXECUTE, now, now).run(work);
	}

	/**
	 * Moves on in the rows of a statement.
	 * @param executedNanos when the statement was executed
	 * @throws SQLException what the driver threw, or that the call has ended
	 */
	static <T> T fetch(Statement statement, CallConnection connection, CallScope scope, long executedNanos,
			SqlWork<T> work) throws SQLException {
		long now = scope.call().ticker().nanoTime();
		return new Execution(statement, connection, scope, Kind.FETCH, executedNanos, now).run(work);
	}

	/**
	 * Closes rows of which the driver reads what is left, which nobody needs once the
	 * call has ended.
	 * @throws SQLException what the driver threw
	 */
	static void close(Statement statement, CallConnection connection, CallScope scope, ResultSet rows)
			throws SQLException {
		long now = scope.call().ticker().nanoTime();
		new Execution(statement, connection, scope, Kind.CLOSE, now, now).close(rows);
	}

	private <T> T run(SqlWork<T> work) throws SQLException {
		begin();
		T result;
		try {
			result = work.run();
		}
		catch (SQLException ex) {
			boolean stopped = end();
			putTimeoutBack();
			throw stopped ? stopped(ex) : ex;
		}
		catch (RuntimeException | Error ex) {
			end();
			throw ex;
		}
		if (end()) {
			// Some databases let a function return what it has when it is killed.
			closeQuietly(result);
			putTimeoutBack();
			throw stopped(null);
		}
		putTimeoutBack();
		return result;
	}

	private void close(ResultSet rows) throws SQLException {
		if (!this.call.hasEnded()) {
			this.registration = this.call.listen(this);
		}
		else if (this.canceller.isEnforced() && this.thread == null) {
			stop();
		}
		try {
			rows.close();
		}
		catch (SQLException ex) {
			if (!end()) {
				throw ex;
			}
			return;
		}
		catch (RuntimeException | Error ex) {
			end();
			throw ex;
		}
		end();
	}

	private void begin() throws SQLException {
		this.first = this.connection.works(this.call);
		if (!this.call.hasEnded()) {
			limitTime();
			this.registration = this.call.listen(this);
		}
		else if (!this.canceller.isEnforced()) {
			if (this.kind == Kind.EXECUTE) {
				this.canceller.counts().refused(Work.STATEMENT);
			}
		}
		else if (this.thread != null) {
			lookAtThread(FIRST_RETRY_NANOS);
		}
		else if (this.kind == Kind.FETCH && isOldAtEnd()) {
			this.canceller.counts().refused(Work.STATEMENT);
			throw stopped(null);
		}
		else if (!goOnInGrace(this.kind == Kind.EXECUTE)) {
			this.canceller.refused(Work.STATEMENT, this.call);
			markIfUsed();
			this.connection.spoil();
			throw refusal();
		}
	}

	/**
	 * Once nothing is let through any more it says so: there are libraries that try again
	 * for ever after whatever may pass, such as a timeout.
	 */
	private SQLException refusal() {
		SQLException timeout = failure(this.call, "statement", null);
		return this.scope.grace(Work.STATEMENT).isUsedUp()
				? new SQLNonTransientException(timeout.getMessage(), INTERVENTION, timeout.getCause()) : timeout;
	}

	private boolean isOldAtEnd() {
		return this.call.ageAtEndNanos(this.executedNanos) >= Grace.YOUNG_NANOS;
	}

	/**
	 * What cleans up gets through, for a while.
	 */
	private boolean goOnInGrace(boolean asStep) {
		Grace grace = this.scope.grace(Work.STATEMENT);
		long nanos = asStep ? grace.begin() : grace.goOn();
		if (nanos == 0) {
			return false;
		}
		synchronized (this) {
			this.late = true;
			lookLater(nanos, this::stopLate);
		}
		return true;
	}

	/**
	 * Called on the thread that ends the call; must not block.
	 */
	@Override
	public void ended(CallRecord call) {
		if (!this.canceller.isEnforced()) {
			this.canceller.counts().cancelled(Work.STATEMENT);
		}
		else if (this.thread != null) {
			lookAtThread(FIRST_RETRY_NANOS);
		}
		else if (this.kind == Kind.CLOSE || isOldAtEnd() || !goOnInGrace(true)) {
			stop();
		}
	}

	/**
	 * Somebody else may wait for what was carried to this thread, unless whoever disposed
	 * it interrupts the thread.
	 */
	private void lookAtThread(long nanos) {
		if (this.thread != null && this.thread.isInterrupted()) {
			stop();
			return;
		}
		synchronized (this) {
			lookLater(nanos, () -> lookAtThread(Math.min(2 * nanos, LONGEST_RETRY_NANOS)));
		}
	}

	/** Under the lock. */
	@GuardedBy("this")
	private void lookLater(long nanos, Runnable look) {
		if (!this.ended) {
			this.next = this.canceller.later(nanos, look);
		}
	}

	/**
	 * The grace is over.
	 */
	private void stopLate() {
		synchronized (this) {
			if (this.ended) {
				return;
			}
		}
		markIfUsed();
		this.canceller.tell(Work.STATEMENT, WorkFate.STOPPED, this.call);
		stop();
	}

	/**
	 * What does not get through may have been meant to clean the session, if the call has
	 * used it before.
	 */
	private void markIfUsed() {
		if (!this.first) {
			this.connection.mark();
		}
	}

	private void stop() {
		synchronized (this) {
			if (this.ended || this.cancelledNanos != 0) {
				return;
			}
			this.cancelledNanos = Math.max(1, this.canceller.nanoTime());
			this.patience = this.canceller.later(PATIENCE_NANOS, this::giveUp);
		}
		this.connection.lane().execute(() -> cancel(FIRST_RETRY_NANOS));
	}

	/**
	 * Runs on a thread of the lane.
	 */
	private void cancel(long retryNanos) {
		synchronized (this) {
			if (this.ended || this.cancelling) {
				return;
			}
			if (!this.told) {
				this.canceller.counts().cancelled(Work.STATEMENT);
			}
			this.cancelling = true;
			this.told = true;
		}
		long begun = this.canceller.nanoTime();
		try {
			tell(retryNanos > FIRST_RETRY_NANOS);
		}
		catch (SQLException | RuntimeException ex) {
			// Closed meanwhile, not supported, or out of reach: asked again below.
		}
		finally {
			cancelled(Math.max(retryNanos, 2 * (this.canceller.nanoTime() - begun)));
		}
	}

	private void tell(boolean again) throws SQLException {
		Driver driver = this.connection.driver();
		if (this.kind == Kind.EXECUTE) {
			driver.cancel(this.connection.delegate, this.statement, again);
		}
		else {
			driver.cancelRows(this.connection.delegate, this.statement);
		}
	}

	private void cancelled(long retryNanos) {
		synchronized (this) {
			this.cancelling = false;
			notifyAll();
			if (this.canceller.nanoTime() - this.cancelledNanos < PATIENCE_NANOS) {
				long next = Math.min(2 * retryNanos, LONGEST_RETRY_NANOS);
				lookLater(retryNanos, () -> this.connection.lane().execute(() -> cancel(next)));
			}
		}
	}

	/**
	 * The driver does not cancel, or the statement does not end.
	 */
	private void giveUp() {
		synchronized (this) {
			if (this.ended) {
				return;
			}
		}
		this.connection.mark();
	}

	/**
	 * Ends, on the thread that called the driver. From here on nothing reaches the
	 * driver.
	 * @return whether the driver was told to cancel
	 */
	private boolean end() {
		if (this.registration != null) {
			this.registration.close();
		}
		boolean stopped;
		boolean stuck;
		boolean wasLate;
		synchronized (this) {
			this.ended = true;
			if (this.next != null) {
				this.next.cancel();
			}
			awaitCancel();
			if (this.patience != null) {
				this.patience.cancel();
			}
			stuck = this.cancelling;
			stopped = this.told;
			wasLate = this.late;
		}
		if (wasLate) {
			this.scope.grace(Work.STATEMENT).end(this.call.spentAfterEndNanos(this.begunNanos), stopped);
		}
		if (stuck) {
			this.connection.mark();
		}
		if (stopped) {
			this.connection.spoil();
			settle();
		}
		return stopped || this.connection.isAborted();
	}

	/** Under the lock, which waiting lets go of. An interrupt waits as well. */
	@GuardedBy("this")
	private void awaitCancel() {
		boolean interrupted = false;
		long left = this.cancelledNanos + PATIENCE_NANOS - this.canceller.nanoTime();
		while (this.cancelling && left > 0) {
			try {
				TimeUnit.NANOSECONDS.timedWait(this, left);
			}
			catch (InterruptedException ex) {
				interrupted = true;
			}
			left = this.cancelledNanos + PATIENCE_NANOS - this.canceller.nanoTime();
		}
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private void settle() {
		try {
			this.connection.driver().settle(this.connection.delegate, this.connection.executed());
		}
		catch (SQLException | RuntimeException ex) {
			// Closed meanwhile, and so nobody's any more.
		}
	}

	/**
	 * The driver's own timeout, in whole seconds, where the application asks for it and
	 * it does no harm.
	 */
	private void limitTime() throws SQLException {
		long remaining = this.call.remainingNanos();
		if (remaining == CallRecord.UNLIMITED || this.kind != Kind.EXECUTE || !this.scope.isHandler()
				|| !this.canceller.isEnforced() || !this.connection.limitsTime()) {
			return;
		}
		int seconds = (int) Math.min(Integer.MAX_VALUE, Math.max(0, remaining) / 1_000_000_000L + 1);
		int own = this.statement.getQueryTimeout();
		if (own == 0 || own > seconds) {
			this.statement.setQueryTimeout(seconds);
			this.ownTimeout = own;
		}
	}

	/** Also of a statement that failed, since it may be executed again. */
	private void putTimeoutBack() {
		if (this.ownTimeout != UNCHANGED) {
			try {
				this.statement.setQueryTimeout(this.ownTimeout);
			}
			catch (SQLException ex) {
				// It is closed, and is not executed again.
			}
		}
	}

	private static void closeQuietly(@Nullable Object result) {
		if (result instanceof ResultSet rows) {
			try {
				rows.close();
			}
			catch (SQLException ex) {
				// Nobody will read them.
			}
		}
	}

	private SQLException stopped(@Nullable SQLException thrown) {
		return failure(this.call, "statement",
				(thrown != null) ? thrown : new SQLException("the statement was cancelled", QUERY_CANCELED));
	}

	/**
	 * An SQL exception, since that is what callers of JDBC handle, with a status that
	 * gRPC finds among its causes. Always of the class that frameworks know as a timeout:
	 * whichever way a call ends, nobody waits any more.
	 * @param thrown what the driver threw; {@code null} if it was not called
	 */
	static SQLException failure(CallRecord call, String work, @Nullable SQLException thrown) {
		StatusRuntimeException cause = CallEnd.failure(call, work, thrown);
		return new SQLTimeoutException(cause.getStatus().getDescription(), QUERY_CANCELED, cause);
	}

	/**
	 * Loads what the first cancel would otherwise wait for.
	 */
	static void load(CallRecord call) {
		failure(call, "statement", null);
	}

	/** What the driver is called for. */
	private enum Kind {

		EXECUTE, FETCH, CLOSE

	}

}
