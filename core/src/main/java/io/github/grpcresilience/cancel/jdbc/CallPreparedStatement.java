package io.github.grpcresilience.cancel.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

import org.jspecify.annotations.Nullable;

/**
 * A prepared statement that ends with the call that executes it.
 */
final class CallPreparedStatement extends DelegatingPreparedStatement {

	CallPreparedStatement(PreparedStatement delegate, CallConnection connection) {
		super(delegate, connection);
	}

	@Override
	public boolean execute() throws SQLException {
		return isOutsideCall() ? this.prepared.execute() : inCall(this.prepared::execute);
	}

	@Override
	public @Nullable ResultSet executeQuery() throws SQLException {
		return isOutsideCall() ? this.prepared.executeQuery() : fetching(inCall(this.prepared::executeQuery));
	}

	@Override
	public int executeUpdate() throws SQLException {
		return isOutsideCall() ? this.prepared.executeUpdate() : inCall(this.prepared::executeUpdate);
	}

	@Override
	public long executeLargeUpdate() throws SQLException {
		return isOutsideCall() ? this.prepared.executeLargeUpdate() : inCall(this.prepared::executeLargeUpdate);
	}

}
