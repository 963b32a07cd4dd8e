package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.ref.WeakReference;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkFate;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.time.Timeout;

/**
 * A connection whose statements end with the call that executes them. Rolling back and
 * closing always go through. A transaction in which a statement was stopped cannot be
 * committed, whatever became of the exception (decision 22).
 *
 * <p>
 * Confined to one thread at a time, as every connection is; it is marked and aborted by
 * others.
 */
final class CallConnection extends DelegatingConnection {

	/** How long a connection that is not clean may stay with whoever has it. */
	private static final long ABORT_NANOS = TimeUnit.SECONDS.toNanos(5);

	private final CallConnections home;

	private final ConnectionLender lender;

	/** Whether a pool stands between this connection and whoever uses it. */
	private final boolean beneath;

	/** Found when the first call uses the connection. */
	private volatile @Nullable Driver driver;

	/** Whether a statement of a call was executed in the transaction. */
	private boolean worked;

	/** Whose statement was executed last; null before there was one. */
	private @Nullable WeakReference<CallRecord> user;

	/**
	 * Whether what was executed last belongs to no call, and may be a call's all the
	 * same.
	 */
	private boolean usedByNobody;

	/** Whether a statement of the transaction was stopped or refused. */
	private boolean spoiled;

	/** Savepoints that were set after a statement was stopped; null for none. */
	private @Nullable Set<Savepoint> lateSavepoints;

	/** Statements that may be open, where a cancel concerns them all; null for none. */
	private @Nullable Set<Statement> executed;

	/**
	 * Rows of which the driver reads what is left before it does anything else; null for
	 * none.
	 */
	private @Nullable FetchingResultSet unread;

	/** It must not be lent again. */
	@GuardedBy("this")
	private boolean marked;

	/** It is closed, or has been given back. */
	@GuardedBy("this")
	private boolean gone;

	/** What aborts it; null before it is marked. */
	@GuardedBy("this")
	private @Nullable Timeout abort;

	/** Written by whoever aborts it. */
	private volatile boolean aborted;

	CallConnection(Connection delegate, CallConnections home, ConnectionLender lender, boolean beneath) {
		super(delegate);
		this.home = home;
		this.lender = lender;
		this.beneath = beneath;
	}

	WorkCanceller canceller() {
		return this.home.canceller();
	}

	Executor lane() {
		return this.home.lane();
	}

	Driver driver() {
		Driver known = this.driver;
		if (known == null) {
			known = Driver.of(this.delegate);
			this.driver = known;
		}
		return known;
	}

	boolean limitsTime() {
		return this.home.limitsTime() && driver().limitsTime();
	}

	/**
	 * Whether a statement is one of the pool's, such as the test of a connection.
	 */
	boolean isOfPool(String sql) {
		return this.home.isOfPool(sql);
	}

	/**
	 * A statement of a call is about to be executed.
	 * @return whether it is the first one of its call, which so has left nothing in the
	 * session that somebody would have to clean up
	 */
	boolean works(CallRecord call) {
		boolean known = this.user != null && this.user.get() == call;
		boolean first = !known && !this.usedByNobody;
		if (!known) {
			this.user = new WeakReference<>(call);
		}
		this.usedByNobody = false;
		this.worked = true;
		// Not later: asking may wait until the connection is idle again.
		driver();
		this.home.loadOnce();
		return first;
	}

	/**
	 * A statement is about to be executed outside of calls.
	 */
	void worksForNobody() {
		this.usedByNobody = true;
	}

	/**
	 * Whether reading the rows of a statement may wait for the database.
	 */
	boolean rowsComeLater(Statement statement) {
		try {
			return driver().rowsComeLater(this.delegate, statement);
		}
		catch (SQLException | RuntimeException ex) {
			// It has been executed, so the application gets its rows.
			return false;
		}
	}

	/**
	 * A statement is about to be executed.
	 */
	void executes(Statement statement) {
		if (driver().interruptsAll()) {
			if (this.executed == null) {
				this.executed = Collections.newSetFromMap(new IdentityHashMap<>());
			}
			this.executed.add(statement);
		}
	}

	Collection<Statement> executed() {
		return (this.executed != null) ? this.executed : Set.of();
	}

	/**
	 * A statement is about to be closed.
	 */
	void closed(Statement statement) {
		if (this.executed != null) {
			this.executed.remove(statement);
		}
	}

	/**
	 * Somebody is going to read rows that come later.
	 */
	void reads(FetchingResultSet rows) {
		if (driver().readsOnWhenClosing()) {
			this.unread = rows;
		}
	}

	/**
	 * Rows have been read to their end.
	 */
	void hasRead(FetchingResultSet rows) {
		if (this.unread == rows) {
			this.unread = null;
		}
	}

	/**
	 * Closes the rows that are not read to their end, without reading on once nobody
	 * waits for them.
	 * @return {@code false} if there are none
	 */
	boolean closeUnread(Predicate<FetchingResultSet> which) throws SQLException {
		FetchingResultSet rows = this.unread;
		if (rows == null || !which.test(rows)) {
			return false;
		}
		this.unread = null;
		rows.close();
		return true;
	}

	/**
	 * A statement was stopped or refused: whatever the transaction has done, it must not
	 * be committed.
	 */
	void spoil() {
		try {
			this.spoiled |= !this.delegate.getAutoCommit();
		}
		catch (SQLException ex) {
			this.spoiled = true;
		}
	}

	/**
	 * The session may not be clean any more: the connection must not be lent again, and
	 * is aborted if it is not given back.
	 */
	void mark() {
		synchronized (this) {
			if (this.marked || this.gone) {
				return;
			}
			this.marked = true;
			if (this.lender.isKnown()) {
				this.abort = canceller().later(ABORT_NANOS, () -> this.home.aborts().execute(this::abortUnlessGone));
			}
		}
		this.lender.marked(asLent());
	}

	private Connection asLent() {
		return this.beneath ? this : this.delegate;
	}

	private void abortUnlessGone() {
		synchronized (this) {
			if (this.gone) {
				return;
			}
			this.aborted = true;
		}
		canceller().counts().aborted(Work.STATEMENT);
		try {
			this.lender.aborting(asLent());
			this.delegate.abort(Runnable::run);
		}
		catch (SQLException | RuntimeException ex) {
			// It is closed already, or the driver cannot: nobody is lent it any more.
		}
	}

	boolean isAborted() {
		return this.aborted;
	}

	/**
	 * Gives the connection back, unless it was given up: a pool would hand it to the next
	 * call while it is being closed.
	 */
	@Override
	public void close() throws SQLException {
		boolean dirty;
		synchronized (this) {
			this.gone = true;
			dirty = this.marked;
			if (this.abort != null) {
				this.abort.cancel();
			}
		}
		if (!this.aborted) {
			closeUnreadQuietly();
		}
		if (this.spoiled) {
			// Some databases commit what is left open.
			rollbackQuietly();
		}
		if (this.beneath) {
			this.delegate.close();
			return;
		}
		if (this.aborted) {
			return;
		}
		if (dirty) {
			this.lender.giveBack(this.delegate);
		}
		else {
			this.delegate.close();
		}
	}

	@Override
	public boolean isClosed() throws SQLException {
		if (isMarked() && this.lender.isReturning()) {
			// The pool closes none that says it is closed, so it had better be.
			close();
		}
		return this.delegate.isClosed();
	}

	private synchronized boolean isMarked() {
		return this.marked;
	}

	@Override
	public void commit() throws SQLException {
		beforeCommit();
		this.delegate.commit();
		afterCommit();
	}

	/**
	 * Switching it on commits, says JDBC. It is switched on in any case: a pool that does
	 * so for the next borrower only logs what is thrown.
	 */
	@Override
	public void setAutoCommit(boolean autoCommit) throws SQLException {
		if (!autoCommit || !(this.spoiled || this.worked) || this.delegate.getAutoCommit()) {
			this.delegate.setAutoCommit(autoCommit);
			return;
		}
		try {
			beforeCommit();
		}
		catch (SQLException ex) {
			this.delegate.setAutoCommit(true); // nothing is left that could be committed
			throw ex;
		}
		this.delegate.setAutoCommit(true);
		afterCommit();
	}

	private void beforeCommit() throws SQLException {
		if (this.spoiled) {
			rollbackQuietly();
			throw new SQLTimeoutException("not committed but rolled back: a statement of this transaction was"
					+ " stopped when its call had ended, and nobody rolled it back", "57014");
		}
		CallScope scope = lateScope();
		if (scope != null && scope.call().refusesLateCommits()) {
			canceller().counts().committed(true);
			canceller().tell(Work.STATEMENT, WorkFate.ROLLED_BACK, scope.call());
			rollbackQuietly();
			throw Execution.failure(scope.call(), "commit (commit-after-end is refuse)", null);
		}
	}

	/**
	 * What follows a commit that was let through, such as its listeners, gets through as
	 * well.
	 */
	private void afterCommit() {
		CallScope scope = lateScope();
		this.worked = false;
		if (scope != null) {
			CallRecord call = scope.call();
			canceller().counts().committed(false);
			canceller().tell(Work.STATEMENT, WorkFate.COMMITTED, call);
			scope.grace(Work.STATEMENT).renew();
		}
	}

	/**
	 * The piece of work that commits something although its call has ended.
	 */
	private @Nullable CallScope lateScope() {
		CallScope scope = this.worked ? CallScope.current() : null;
		return (scope != null && scope.call().hasEnded() && !scope.isCarried() && canceller().isEnforced()) ? scope
				: null;
	}

	private void closeUnreadQuietly() {
		try {
			closeUnread((rows) -> true);
		}
		catch (SQLException ex) {
			// The connection is closed in any case, and says what is wrong with it.
		}
	}

	private void rollbackQuietly() {
		try {
			rollback();
		}
		catch (SQLException ex) {
			// The connection is broken, and the database rolls back.
		}
	}

	@Override
	public void rollback() throws SQLException {
		// What was aborted is rolled back by the database.
		if (!this.aborted) {
			closeUnread(FetchingResultSet::isAbandoned);
			this.delegate.rollback();
		}
		this.spoiled = false;
		this.worked = false;
		this.lateSavepoints = null;
	}

	/**
	 * Takes back what was stopped, if the savepoint is older.
	 */
	@Override
	public void rollback(Savepoint savepoint) throws SQLException {
		this.delegate.rollback(savepoint);
		if (this.lateSavepoints == null || !this.lateSavepoints.contains(savepoint)) {
			this.spoiled = false;
			this.lateSavepoints = null;
		}
	}

	@Override
	public Savepoint setSavepoint() throws SQLException {
		return noted(this.delegate.setSavepoint());
	}

	@Override
	public Savepoint setSavepoint(String name) throws SQLException {
		return noted(this.delegate.setSavepoint(name));
	}

	private Savepoint noted(Savepoint savepoint) {
		if (this.spoiled) {
			if (this.lateSavepoints == null) {
				this.lateSavepoints = new HashSet<>();
			}
			this.lateSavepoints.add(savepoint);
		}
		return savepoint;
	}

	/**
	 * Keeps what commits by its text from committing what must not be.
	 */
	void checkText(String sql) throws SQLException {
		if (this.spoiled) {
			String start = sql.stripLeading();
			if (start.regionMatches(true, 0, "commit", 0, 6)) {
				beforeCommit();
			}
			else if (start.regionMatches(true, 0, "rollback", 0, 8)) {
				this.spoiled = false;
			}
		}
	}

	@Override
	public Statement createStatement() throws SQLException {
		return statement(this.delegate.createStatement());
	}

	@Override
	public Statement createStatement(int type, int concurrency) throws SQLException {
		return statement(this.delegate.createStatement(type, concurrency));
	}

	@Override
	public Statement createStatement(int type, int concurrency, int holdability) throws SQLException {
		return statement(this.delegate.createStatement(type, concurrency, holdability));
	}

	@Override
	public PreparedStatement prepareStatement(String sql) throws SQLException {
		PreparedStatement made = this.delegate.prepareStatement(sql);
		return isOfPool(sql) ? made : prepared(made);
	}

	@Override
	public PreparedStatement prepareStatement(String sql, int autoGeneratedKeys) throws SQLException {
		return prepared(this.delegate.prepareStatement(sql, autoGeneratedKeys));
	}

	@Override
	public PreparedStatement prepareStatement(String sql, int[] columnIndexes) throws SQLException {
		return prepared(this.delegate.prepareStatement(sql, columnIndexes));
	}

	@Override
	public PreparedStatement prepareStatement(String sql, String[] columnNames) throws SQLException {
		return prepared(this.delegate.prepareStatement(sql, columnNames));
	}

	@Override
	public PreparedStatement prepareStatement(String sql, int type, int concurrency) throws SQLException {
		return prepared(this.delegate.prepareStatement(sql, type, concurrency));
	}

	@Override
	public PreparedStatement prepareStatement(String sql, int type, int concurrency, int holdability)
			throws SQLException {
		return prepared(this.delegate.prepareStatement(sql, type, concurrency, holdability));
	}

	@Override
	public CallableStatement prepareCall(String sql) throws SQLException {
		return CallableProxy.of(this.delegate.prepareCall(sql), this);
	}

	@Override
	public CallableStatement prepareCall(String sql, int type, int concurrency) throws SQLException {
		return CallableProxy.of(this.delegate.prepareCall(sql, type, concurrency), this);
	}

	@Override
	public CallableStatement prepareCall(String sql, int type, int concurrency, int holdability) throws SQLException {
		return CallableProxy.of(this.delegate.prepareCall(sql, type, concurrency, holdability), this);
	}

	private Statement statement(Statement made) {
		return (made instanceof CallStatement) ? made : new CallStatement(made, this);
	}

	private PreparedStatement prepared(PreparedStatement made) {
		return (made instanceof CallStatement) ? made : new CallPreparedStatement(made, this);
	}

}
