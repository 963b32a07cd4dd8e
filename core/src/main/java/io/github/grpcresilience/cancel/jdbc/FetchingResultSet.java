package io.github.grpcresilience.cancel.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.ResultSet;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.call.CallScope;

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

	private final long executedNanos;

	private FetchingResultSet(ResultSet rows, CallStatement owner, CallConnection connection, long executedNanos) {
		this.rows = rows;
		this.owner = owner;
		this.connection = connection;
		this.executedNanos = executedNanos;
	}

	static ResultSet of(ResultSet rows, CallStatement owner, CallConnection connection, long executedNanos) {
		return (ResultSet) Proxy.newProxyInstance(FetchingResultSet.class.getClassLoader(),
				new Class<?>[] { ResultSet.class }, new FetchingResultSet(rows, owner, connection, executedNanos));
	}

	@Override
	public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
		String name = method.getName();
		CallScope scope = MOVES.contains(name) ? CallScope.current() : null;
		if (scope != null) {
			return move(scope, method, arguments);
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
		return Execution.fetch(this.owner.delegate, this.connection, scope, this.executedNanos,
				() -> CallableProxy.invokeSql(method, this.rows, arguments));
	}

}
