package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Rows that come in portions: moving on may wait for the database, and ends with the
 * call.
 */
final class FetchingResultSet implements InvocationHandler {

	private static final Set<String> MOVES = Set.of("next", "previous", "first", "last", "absolute", "relative",
			"beforeFirst", "afterLast", "isLast", "refreshRow", "insertRow", "updateRow", "deleteRow");

	private final ResultSet rows;

	private final CallStatement owner;

	private final CallConnection connection;

	/** The piece of work that executed the statement. */
	private final CallScope scope;

	private final long executedNanos;

	private FetchingResultSet(ResultSet rows, CallStatement owner, CallConnection connection, CallScope scope,
			long executedNanos) {
		this.rows = rows;
		this.owner = owner;
		this.connection = connection;
		this.scope = scope;
		this.executedNanos = executedNanos;
	}

	static ResultSet of(ResultSet rows, CallStatement owner, CallConnection connection, CallScope scope,
			long executedNanos) {
		FetchingResultSet fetching = new FetchingResultSet(rows, owner, connection, scope, executedNanos);
		connection.reads(fetching);
		return (ResultSet) Proxy.newProxyInstance(FetchingResultSet.class.getClassLoader(),
				new Class<?>[] { ResultSet.class }, fetching);
	}

	boolean isOf(CallStatement statement) {
		return this.owner == statement;
	}

	/**
	 * Closes the rows, which may read all that is left of them.
	 */
	void close() throws SQLException {
		Execution.close(this.owner.delegate, this.connection, this.scope, this.rows);
	}

	/**
	 * Whether nobody waits for the rows any more.
	 */
	boolean isAbandoned() {
		return this.scope.call().hasEnded();
	}

	@Override
	public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
		String name = method.getName();
		CallScope scope = MOVES.contains(name) ? CallScope.current() : null;
		if (scope != null) {
			return move(scope, method, arguments);
		}
		if (name.equals("close") && this.connection.closeUnread(this::equals)) {
			return null;
		}
		if (name.equals("getStatement")) {
			this.rows.getStatement(); // says if the rows are closed
			return this.owner;
		}
		if (name.equals("equals") && method.getDeclaringClass() == Object.class) {
			return arguments != null && proxy == arguments[0];
		}
		return CallableProxy.invoke(method, this.rows, arguments);
	}

	@SuppressWarnings("NullAway") // a method without a result has one that is null
	private @Nullable Object move(CallScope scope, Method method, @Nullable Object @Nullable [] arguments)
			throws Throwable {
		Object moved = Execution.fetch(this.owner.delegate, this.connection, scope, this.executedNanos,
				() -> CallableProxy.invokeSql(method, this.rows, arguments));
		if (Boolean.FALSE.equals(moved) && method.getName().equals("next")) {
			this.connection.hasRead(this);
		}
		return moved;
	}

}
