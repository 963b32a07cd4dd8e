package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.SQLException;

import org.jspecify.annotations.Nullable;

/**
 * A callable statement: what it adds to a prepared one concerns parameters only, so that
 * goes to the driver, and the rest to the wrapper of a prepared statement. By reflection,
 * since stored procedures are called too seldom to be worth 120 methods (decision 9).
 */
final class CallableProxy implements InvocationHandler {

	private final CallableStatement callable;

	private final CallPreparedStatement prepared;

	private CallableProxy(CallableStatement callable, CallPreparedStatement prepared) {
		this.callable = callable;
		this.prepared = prepared;
	}

	static CallableStatement of(CallableStatement callable, CallConnection connection) {
		CallableProxy proxy = new CallableProxy(callable, new CallPreparedStatement(callable, connection));
		return (CallableStatement) Proxy.newProxyInstance(CallableProxy.class.getClassLoader(),
				new Class<?>[] { CallableStatement.class }, proxy);
	}

	@Override
	public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
		if (method.getDeclaringClass() == Object.class && method.getName().equals("equals")) {
			return arguments != null && proxy == arguments[0];
		}
		boolean own = method.getDeclaringClass() == CallableStatement.class;
		return invoke(method, own ? this.callable : this.prepared, arguments);
	}

	/**
	 * Calls a method of JDBC, which throws what JDBC does.
	 */
	static @Nullable Object invokeSql(Method method, Object target, @Nullable Object @Nullable [] arguments)
			throws SQLException {
		try {
			return invoke(method, target, arguments);
		}
		catch (SQLException | RuntimeException | Error ex) {
			throw ex;
		}
		catch (Throwable ex) {
			throw new SQLException(ex);
		}
	}

	static @Nullable Object invoke(Method method, Object target, Object @Nullable [] arguments) throws Throwable {
		try {
			return method.invoke(target, arguments);
		}
		catch (InvocationTargetException ex) {
			throw ex.getCause();
		}
	}

}
