package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * A prepared statement that ends with the call that executes it.
 */
final class CallPreparedStatement extends DelegatingPreparedStatement {

	CallPreparedStatement(PreparedStatement delegate, CallConnection connection) {
		super(delegate, connection);
	}

	@Override
	public boolean execute() throws SQLException {
		CallScope scope = scope();
		return (scope == null) ? this.prepared.execute() : inCall(scope, this.prepared::execute);
	}

	@Override
	public @Nullable ResultSet executeQuery() throws SQLException {
		CallScope scope = scope();
		return (scope == null) ? this.prepared.executeQuery() : fetching(inCall(scope, this.prepared::executeQuery));
	}

	@Override
	public int executeUpdate() throws SQLException {
		CallScope scope = scope();
		return (scope == null) ? this.prepared.executeUpdate() : inCall(scope, this.prepared::executeUpdate);
	}

	@Override
	public long executeLargeUpdate() throws SQLException {
		CallScope scope = scope();
		return (scope == null) ? this.prepared.executeLargeUpdate() : inCall(scope, this.prepared::executeLargeUpdate);
	}

}
