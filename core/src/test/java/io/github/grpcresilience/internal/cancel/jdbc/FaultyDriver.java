package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

import javax.sql.DataSource;

/**
 * A real driver whose {@code Statement.cancel()} misbehaves.
 */
final class FaultyDriver {

	private FaultyDriver() {
	}

	static DataSource around(DataSource dataSource, Cancel cancel) {
		return wrap(DataSource.class, dataSource, new Faults(cancel, null, true));
	}

	/**
	 * One that nobody has an adapter for.
	 */
	static DataSource unknown(DataSource dataSource, Cancel cancel) {
		return wrap(DataSource.class, dataSource, new Faults(cancel, null, false));
	}

	/**
	 * One whose statements ignore that they are cancelled, and whose connections cannot
	 * be aborted meanwhile.
	 */
	static DataSource stubborn(DataSource dataSource, Runnable abort) {
		return wrap(DataSource.class, dataSource, new Faults((statement) -> {
		}, abort, false));
	}

	/**
	 * The connection as the pool handed it out.
	 */
	static Connection inside(Connection faulty) {
		return (Connection) ((Faulty) Proxy.getInvocationHandler(faulty)).target();
	}

	private static <T> T wrap(Class<T> type, Object target, Faults faults) {
		return type.cast(Proxy.newProxyInstance(FaultyDriver.class.getClassLoader(), new Class<?>[] { type },
				new Faulty(target, faults)));
	}

	private static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
		try {
			return method.invoke(target, arguments);
		}
		catch (InvocationTargetException ex) {
			throw ex.getCause();
		}
	}

	private record Faults(Cancel cancel, Runnable abort, boolean known) {
	}

	private record Faulty(Object target, Faults faults) implements InvocationHandler {

		@Override
		public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
			switch (method.getName()) {
				case "cancel" -> {
					this.faults.cancel().cancel((Statement) this.target);
					return null;
				}
				case "getDriverName" -> {
					return this.faults.known() ? FaultyDriver.invoke(method, this.target, arguments)
							: "A driver of its own";
				}
				case "abort" -> {
					if (this.faults.abort() != null) {
						this.faults.abort().run();
					}
				}
				case "unwrap" -> {
					return FaultyDriver.invoke(method, this.target, arguments);
				}
				default -> {
				}
			}
			return wrapped(FaultyDriver.invoke(method, this.target, arguments));
		}

		private Object wrapped(Object result) {
			for (Class<?> type : List.of(PreparedStatement.class, DatabaseMetaData.class, Connection.class)) {
				if (type.isInstance(result)) {
					return wrap(type, result, this.faults);
				}
			}
			return result;
		}

	}

	@FunctionalInterface
	interface Cancel {

		void cancel(Statement statement) throws SQLException;

	}

}
