package io.github.grpcresilience.cancel.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

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

	private final WorkCanceller canceller;

	/**
	 * Creates the object.
	 * @param canceller cancels the statements
	 */
	public CallConnections(WorkCanceller canceller) {
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
		Context context = Context.current();
		Connection connection = (context == Context.ROOT || !this.canceller.isEnforced())
				? source.getConnection(Long.MAX_VALUE) : getFor(context, source);
		return (connection instanceof CallConnection) ? connection
				: new CallConnection(connection, this.canceller, evictor);
	}

	/**
	 * The connection as its source handed it out.
	 * @param connection a connection from {@link #get}, or any other one
	 * @return what is inside of it, or the connection itself
	 */
	public static Connection inside(Connection connection) {
		return (connection instanceof CallConnection wrapper) ? wrapper.delegate : connection;
	}

	private Connection getFor(Context context, Source source) throws SQLException {
		if (CallEnd.isAbandoned(context)) {
			throw failure(context, null);
		}
		Connection connection;
		try {
			connection = source.getConnection(remainingMillis(context.getDeadline()));
		}
		catch (SQLException ex) {
			throw CallEnd.isAbandoned(context) ? failure(context, ex) : ex;
		}
		if (CallEnd.isAbandoned(context)) {
			connection.close();
			throw failure(context, null);
		}
		return connection;
	}

	private static long remainingMillis(@Nullable Deadline deadline) {
		return (deadline != null) ? Math.max(1, deadline.timeRemaining(TimeUnit.MILLISECONDS)) : Long.MAX_VALUE;
	}

	private SQLException failure(Context context, @Nullable SQLException thrown) {
		this.canceller.counts().refused(Work.STATEMENT);
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
