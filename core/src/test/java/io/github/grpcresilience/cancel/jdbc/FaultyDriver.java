package io.github.grpcresilience.cancel.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

import javax.sql.DataSource;

/**
 * A real driver whose {@code Statement.cancel()} misbehaves.
 */
final class FaultyDriver {

	private FaultyDriver() {
	}

	static DataSource around(DataSource dataSource, Cancel cancel) {
		return wrap(DataSource.class, dataSource, cancel, true);
	}

	/**
	 * One that nobody has an adapter for.
	 */
	static DataSource unknown(DataSource dataSource, Cancel cancel) {
		return wrap(DataSource.class, dataSource, cancel, false);
	}

	/**
	 * The connection as the pool handed it out.
	 */
	static Connection inside(Connection faulty) {
		return (Connection) ((Faulty) Proxy.getInvocationHandler(faulty)).target();
	}

	private static <T> T wrap(Class<T> type, Object target, Cancel cancel, boolean known) {
		return type.cast(Proxy.newProxyInstance(FaultyDriver.class.getClassLoader(), new Class<?>[] { type },
				new Faulty(target, cancel, known)));
	}

	private static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
		try {
			return method.invoke(target, arguments);
		}
		catch (InvocationTargetException ex) {
			throw ex.getCause();
		}
	}

	private record Faulty(Object target, Cancel cancel, boolean known) implements InvocationHandler {

		@Override
		public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
			if (method.getName().equals("cancel")) {
				this.cancel.cancel((Statement) this.target);
				return null;
			}
			if (method.getName().equals("getDriverName") && !this.known) {
				return "A driver of its own";
			}
			Object result = FaultyDriver.invoke(method, this.target, arguments);
			if (method.getName().equals("unwrap")) {
				return result;
			}
			return (result instanceof PreparedStatement)
					? wrap(PreparedStatement.class, result, this.cancel, this.known)
					: (result instanceof DatabaseMetaData)
							? wrap(DatabaseMetaData.class, result, this.cancel, this.known)
							: (result instanceof Connection) ? wrap(Connection.class, result, this.cancel, this.known)
									: result;
		}

	}

	@FunctionalInterface
	interface Cancel {

		void cancel(Statement statement) throws SQLException;

	}

}
