package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;

/**
 * Hands everything on that sends nothing to the database. No logic (decision 9).
 */
abstract class DelegatingStatement implements Statement {

	final Statement delegate;

	DelegatingStatement(Statement delegate) {
		this.delegate = delegate;
	}

	@Override
	public void addBatch(String sql) throws SQLException {
		this.delegate.addBatch(sql);
	}

	@Override
	public void cancel() throws SQLException {
		this.delegate.cancel();
	}

	@Override
	public void clearBatch() throws SQLException {
		this.delegate.clearBatch();
	}

	@Override
	public void clearWarnings() throws SQLException {
		this.delegate.clearWarnings();
	}

	@Override
	public void close() throws SQLException {
		this.delegate.close();
	}

	@Override
	public void closeOnCompletion() throws SQLException {
		this.delegate.closeOnCompletion();
	}

	@Override
	public String enquoteIdentifier(String value, boolean alwaysQuote) throws SQLException {
		return this.delegate.enquoteIdentifier(value, alwaysQuote);
	}

	@Override
	public String enquoteLiteral(String value) throws SQLException {
		return this.delegate.enquoteLiteral(value);
	}

	@Override
	public String enquoteNCharLiteral(String value) throws SQLException {
		return this.delegate.enquoteNCharLiteral(value);
	}

	@Override
	public int getFetchDirection() throws SQLException {
		return this.delegate.getFetchDirection();
	}

	@Override
	public int getFetchSize() throws SQLException {
		return this.delegate.getFetchSize();
	}

	@Override
	public long getLargeMaxRows() throws SQLException {
		return this.delegate.getLargeMaxRows();
	}

	@Override
	public long getLargeUpdateCount() throws SQLException {
		return this.delegate.getLargeUpdateCount();
	}

	@Override
	public int getMaxFieldSize() throws SQLException {
		return this.delegate.getMaxFieldSize();
	}

	@Override
	public int getMaxRows() throws SQLException {
		return this.delegate.getMaxRows();
	}

	@Override
	public int getQueryTimeout() throws SQLException {
		return this.delegate.getQueryTimeout();
	}

	@Override
	public int getResultSetConcurrency() throws SQLException {
		return this.delegate.getResultSetConcurrency();
	}

	@Override
	public int getResultSetHoldability() throws SQLException {
		return this.delegate.getResultSetHoldability();
	}

	@Override
	public int getResultSetType() throws SQLException {
		return this.delegate.getResultSetType();
	}

	@Override
	public int getUpdateCount() throws SQLException {
		return this.delegate.getUpdateCount();
	}

	@Override
	public SQLWarning getWarnings() throws SQLException {
		return this.delegate.getWarnings();
	}

	@Override
	public boolean isCloseOnCompletion() throws SQLException {
		return this.delegate.isCloseOnCompletion();
	}

	@Override
	public boolean isClosed() throws SQLException {
		return this.delegate.isClosed();
	}

	@Override
	public boolean isPoolable() throws SQLException {
		return this.delegate.isPoolable();
	}

	@Override
	public boolean isSimpleIdentifier(String value) throws SQLException {
		return this.delegate.isSimpleIdentifier(value);
	}

	@Override
	public void setCursorName(String value) throws SQLException {
		this.delegate.setCursorName(value);
	}

	@Override
	public void setEscapeProcessing(boolean value) throws SQLException {
		this.delegate.setEscapeProcessing(value);
	}

	@Override
	public void setFetchDirection(int value) throws SQLException {
		this.delegate.setFetchDirection(value);
	}

	@Override
	public void setFetchSize(int value) throws SQLException {
		this.delegate.setFetchSize(value);
	}

	@Override
	public void setLargeMaxRows(long value) throws SQLException {
		this.delegate.setLargeMaxRows(value);
	}

	@Override
	public void setMaxFieldSize(int value) throws SQLException {
		this.delegate.setMaxFieldSize(value);
	}

	@Override
	public void setMaxRows(int value) throws SQLException {
		this.delegate.setMaxRows(value);
	}

	@Override
	public void setPoolable(boolean value) throws SQLException {
		this.delegate.setPoolable(value);
	}

	@Override
	public void setQueryTimeout(int value) throws SQLException {
		this.delegate.setQueryTimeout(value);
	}

	/**
	 * The driver's first, as HikariCP has it: agents take a statement that unwraps to
	 * itself for the driver's, and know nothing of its connection.
	 */
	@Override
	public <T> T unwrap(Class<T> type) throws SQLException {
		return type.isInstance(this.delegate) ? type.cast(this.delegate)
				: type.isInstance(this) ? type.cast(this) : this.delegate.unwrap(type);
	}

	@Override
	public boolean isWrapperFor(Class<?> type) throws SQLException {
		return type.isInstance(this) || type.isInstance(this.delegate) || this.delegate.isWrapperFor(type);
	}

}
