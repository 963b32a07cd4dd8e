package io.github.grpcresilience.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.cancel.h2.H2Sessions;
import io.github.grpcresilience.cancel.postgresql.PostgresQueries;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.time.Timeout;

/**
 * One driver call that ends with the gRPC call that makes it (decision 10).
 *
 * <p>
 * Three threads meet here. The one that executes begins and ends it. The one that cancels
 * the Context, perhaps a transport's, only hands over. A thread of the canceller tells
 * the driver. The driver is told only while the executing thread is inside of it: ending
 * waits for a cancel that has begun, so that none can hit the connection's next
 * statement, but not longer than a driver may need; then the connection is given up.
 */
final class Execution implements CancellationListener {

	/** How long a driver may take to cancel. */
	private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

	/** How long a cancel may wait for a thread: others that block may hold them all. */
	private static final long QUEUE_NANOS = TimeUnit.SECONDS.toNanos(1);

	/**
	 * A cancel that comes just before the server begins with the statement is lost: so it
	 * is asked again until the statement ends.
	 */
	private static final long FIRST_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

	/** How long a statement may go on after the driver was told to cancel it. */
	private static final long LAST_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(640);

	private static final int UNCHANGED = -1;

	/** SQL:2008 and what drivers use: the statement was cancelled. */
	private static final String QUERY_CANCELED = "57014";

	private final Statement statement;

	private final CallConnection connection;

	private final Context context;

	private final boolean executes;

	private final WorkCanceller canceller;

	/** Owned by the executing thread: the timeout to put back. */
	private int ownTimeout = UNCHANGED;

	/** Guarded by this: the executing thread has left the driver. */
	private boolean ended;

	/** Guarded by this: the driver is being told to cancel. */
	private boolean cancelling;

	/** Guarded by this: somebody tried to cancel, with success or without. */
	private boolean tried;

	/** Guarded by this: the driver was told to cancel, or the connection is given up. */
	private boolean told;

	/** Guarded by this: the connection is given up. */
	private boolean aborted;

	/** Guarded by this: what happens next if the statement does not end. */
	private @Nullable Timeout next;

	private Execution(Statement statement, CallConnection connection, Context context, boolean executes) {
		this.statement = statement;
		this.connection = connection;
		this.context = context;
		this.executes = executes;
		this.canceller = connection.canceller();
	}

	/**
	 * Begins, on the thread that is about to call the driver.
	 * @param executes whether the statement is executed, rather than its rows fetched
	 * @throws SQLException if nobody waits for the call any more
	 */
	static Execution begin(Statement statement, CallConnection connection, Context context, boolean executes)
			throws SQLException {
		Execution execution = new Execution(statement, connection, context, executes);
		if (CallEnd.isAbandoned(context)) {
			execution.refuse();
			return execution;
		}
		execution.limitTime();
		CallEnd.listen(context, execution);
		return execution;
	}

	private void refuse() throws SQLException {
		this.canceller.counts().refused(Work.STATEMENT);
		if (this.canceller.isEnforced()) {
			throw failure(this.context, "statement", null);
		}
	}

	/**
	 * The driver's own timeout, in whole seconds, for what we cannot cancel.
	 */
	private void limitTime() {
		Deadline deadline = this.context.getDeadline();
		if (deadline == null || !this.executes || !this.canceller.isEnforced()) {
			return;
		}
		long remaining = Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS));
		int seconds = (int) Math.min(Integer.MAX_VALUE, remaining / 1_000_000_000L + 1);
		try {
			int own = this.statement.getQueryTimeout();
			if (own == 0 || own > seconds) {
				this.statement.setQueryTimeout(seconds);
				this.ownTimeout = own;
			}
		}
		catch (SQLException ex) {
			// A driver without timeouts: cancelling does without them.
		}
	}

	/**
	 * Called on the thread that cancels the Context; must not block.
	 */
	@Override
	public void cancelled(Context cancelled) {
		if (!CallEnd.isAbandoned(cancelled)) {
			return;
		}
		synchronized (this) {
			if (this.ended) {
				return;
			}
			this.canceller.counts().cancelled(Work.STATEMENT);
			if (!this.canceller.isEnforced()) {
				return;
			}
			this.next = this.canceller.later(QUEUE_NANOS, this::abort);
		}
		this.canceller.cancel(() -> cancel(FIRST_RETRY_NANOS));
	}

	/**
	 * Runs on a thread of the canceller.
	 */
	private void cancel(long retryNanos) {
		synchronized (this) {
			if (this.ended || this.aborted || this.cancelling) {
				return;
			}
			this.cancelling = true;
			this.tried = true;
			stopWaiting();
			this.next = this.canceller.later(PATIENCE_NANOS, this::abort);
		}
		boolean done = false;
		try {
			done = tellDriver(retryNanos > FIRST_RETRY_NANOS);
		}
		finally {
			cancelled(done, retryNanos);
		}
	}

	private boolean tellDriver(boolean again) {
		try {
			Connection driver = this.connection.delegate;
			boolean asked = H2Sessions.cancel(driver) || ((again || !this.executes) && PostgresQueries.cancel(driver));
			if (!asked) {
				this.statement.cancel();
			}
			return true;
		}
		catch (SQLException | RuntimeException ex) {
			// Closed meanwhile, not supported, or out of reach: what does not end by
			// itself loses its connection.
			return false;
		}
	}

	/**
	 * Without success the connection is given up when the driver's patience is over.
	 */
	private synchronized void cancelled(boolean done, long retryNanos) {
		this.cancelling = false;
		this.told |= done;
		notifyAll();
		if (done && !this.ended && !this.aborted) {
			stopWaiting();
			this.next = (retryNanos <= LAST_RETRY_NANOS)
					? this.canceller.later(retryNanos, () -> this.canceller.cancel(() -> cancel(2 * retryNanos)))
					: this.canceller.later(LAST_RETRY_NANOS, this::abort);
		}
	}

	/**
	 * The driver does not cancel, or the statement does not end.
	 */
	private void abort() {
		synchronized (this) {
			if (this.ended || this.aborted) {
				return;
			}
			this.aborted = true;
			this.told = true;
			// Under the lock: the executing thread must not give the connection back
			// first.
			this.connection.abort();
		}
	}

	/**
	 * Says why the driver call failed, if it was because of the call.
	 */
	SQLException explain(SQLException thrown) {
		boolean stopped;
		synchronized (this) {
			stopped = this.told || this.tried;
		}
		boolean timedOut = this.ownTimeout != UNCHANGED && CallEnd.isAbandoned(this.context)
				&& (thrown instanceof SQLTimeoutException || QUERY_CANCELED.equals(thrown.getSQLState()));
		return (stopped || timedOut) ? failure(this.context, "statement", thrown) : thrown;
	}

	/**
	 * An SQL exception, since that is what callers of JDBC handle, with a status that
	 * gRPC finds among its causes.
	 */
	static SQLException failure(Context context, String work, @Nullable SQLException thrown) {
		StatusRuntimeException cause = CallEnd.failure(context, work, thrown);
		String message = cause.getStatus().getDescription();
		return (cause.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED)
				? new SQLTimeoutException(message, QUERY_CANCELED, cause)
				: new SQLException(message, QUERY_CANCELED, cause);
	}

	/**
	 * Ends, on the thread that called the driver. From here on nothing reaches the
	 * driver.
	 */
	void end() {
		this.context.removeListener(this);
		boolean givenUp = false;
		boolean wasTold;
		boolean lost;
		synchronized (this) {
			this.ended = true;
			stopWaiting();
			if (this.cancelling && !this.aborted) {
				awaitCancel();
				givenUp = this.cancelling;
				this.aborted |= givenUp;
			}
			wasTold = this.told;
			lost = this.aborted;
		}
		if (givenUp) {
			this.connection.abort();
		}
		else if (!lost) {
			cleanUp(wasTold);
		}
	}

	/** Under the lock. */
	private void stopWaiting() {
		if (this.next != null) {
			this.next.cancel();
		}
	}

	/** Under the lock, which waiting lets go of. An interrupt waits as well. */
	private void awaitCancel() {
		long until = System.nanoTime() + PATIENCE_NANOS;
		boolean interrupted = false;
		long left = PATIENCE_NANOS;
		while (this.cancelling && left > 0) {
			try {
				TimeUnit.NANOSECONDS.timedWait(this, left);
			}
			catch (InterruptedException ex) {
				interrupted = true;
			}
			left = until - System.nanoTime();
		}
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private void cleanUp(boolean wasTold) {
		try {
			if (this.ownTimeout != UNCHANGED) {
				this.statement.setQueryTimeout(this.ownTimeout);
			}
			if (wasTold) {
				H2Sessions.forgetCancel(this.connection.delegate, this.statement);
			}
		}
		catch (SQLException ex) {
			// Closed meanwhile, and so nobody's any more.
		}
	}

}
