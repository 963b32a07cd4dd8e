package io.github.grpcresilience.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.grpc.Context;
import io.grpc.Deadline;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.cancel.CallEnd;
import io.github.grpcresilience.cancel.WorkCanceller;
import io.github.grpcresilience.event.Work;

/**
 * Gets connections whose statements end with the call that executes them. Safe for
 * concurrent use.
 */
public final class CallConnections {

	private final Supplier<WorkCanceller> canceller;

	/**
	 * Creates the object.
	 * @param canceller what cancels the statements; first asked for a connection, always
	 * the same
	 */
	public CallConnections(Supplier<WorkCanceller> canceller) {
		this.canceller = canceller;
	}

	/**
	 * Gets a connection, for the call that is being served if there is one.
	 * @param source where it comes from
	 * @param evictor what keeps it from being used again if it has to be aborted
	 * @return the connection
	 * @throws SQLException if there is none to be had, or nobody waits for the call any
	 * more; then a status is among its causes
	 */
	public Connection get(Source source, ConnectionEvictor evictor) throws SQLException {
		WorkCanceller known = this.canceller.get();
		Context context = Context.current();
		Connection connection = (context == Context.ROOT || !known.isEnforced()) ? source.getConnection(Long.MAX_VALUE)
				: getFor(context, source, known);
		return (connection instanceof CallConnection) ? connection : new CallConnection(connection, known, evictor);
	}

	/**
	 * The connection as its source handed it out.
	 * @param connection a connection from {@link #get}, or any other one
	 * @return what is inside of it, or the connection itself
	 */
	public static Connection inside(Connection connection) {
		return (connection instanceof CallConnection wrapper) ? wrapper.delegate : connection;
	}

	private static Connection getFor(Context context, Source source, WorkCanceller canceller) throws SQLException {
		if (CallEnd.isAbandoned(context)) {
			throw failure(context, canceller, null);
		}
		Connection connection;
		try {
			connection = source.getConnection(remainingMillis(context.getDeadline()));
		}
		catch (SQLException ex) {
			throw CallEnd.isAbandoned(context) ? failure(context, canceller, ex) : ex;
		}
		if (CallEnd.isAbandoned(context)) {
			connection.close();
			throw failure(context, canceller, null);
		}
		return connection;
	}

	/**
	 * Rounded up, so that the deadline has passed when the wait is over: or else nothing
	 * told its end from an exhausted pool.
	 */
	private static long remainingMillis(@Nullable Deadline deadline) {
		return (deadline != null) ? Math.max(0, deadline.timeRemaining(TimeUnit.MILLISECONDS)) + 1 : Long.MAX_VALUE;
	}

	private static SQLException failure(Context context, WorkCanceller canceller, @Nullable SQLException thrown) {
		canceller.counts().refused(Work.STATEMENT);
		return Execution.failure(context, "waiting for a connection", thrown);
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
