package io.github.grpcresilience.cancel.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

import io.grpc.Context;
import org.jspecify.annotations.Nullable;

/**
 * Rows that come in portions: moving on may wait for the database, and ends with the
 * call.
 */
final class FetchingResultSet implements InvocationHandler {

	private static final Set<String> MOVES = Set.of("next", "previous", "first", "last", "absolute", "relative",
			"beforeFirst", "afterLast", "isLast", "refreshRow", "insertRow", "updateRow", "deleteRow");

	private final ResultSet rows;

	private final CallStatement owner;

	private final Statement statement;

	private final CallConnection connection;

	private FetchingResultSet(ResultSet rows, CallStatement owner, Statement statement, CallConnection connection) {
		this.rows = rows;
		this.owner = owner;
		this.statement = statement;
		this.connection = connection;
	}

	static ResultSet of(ResultSet rows, CallStatement owner, Statement statement, CallConnection connection) {
		return (ResultSet) Proxy.newProxyInstance(FetchingResultSet.class.getClassLoader(),
				new Class<?>[] { ResultSet.class }, new FetchingResultSet(rows, owner, statement, connection));
	}

	@Override
	public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
		String name = method.getName();
		if (MOVES.contains(name) && !CallStatement.isOutsideCall()) {
			return move(method, arguments);
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

	private @Nullable Object move(Method method, Object @Nullable [] arguments) throws Throwable {
		Execution execution = Execution.begin(this.statement, this.connection, Context.current(), false);
		try {
			return CallableProxy.invoke(method, this.rows, arguments);
		}
		catch (SQLException ex) {
			throw execution.explain(ex);
		}
		finally {
			execution.end();
		}
	}

}
