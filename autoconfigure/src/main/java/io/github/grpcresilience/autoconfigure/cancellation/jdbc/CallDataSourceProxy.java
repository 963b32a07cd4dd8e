package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.lang.reflect.UndeclaredThrowableException;
import java.sql.Connection;
import java.sql.SQLException;

import javax.sql.DataSource;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopConfigException;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.util.ClassUtils;

import io.github.grpcresilience.internal.cancel.hikari.HikariLenders;
import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;

/**
 * A proxy in front of a data source, for applications that ask for one: of kinds that are
 * not known, and to wait for connections of HikariCP no longer than a call has time.
 *
 * @param dataSource what stands behind the proxy
 * @param connections wraps its connections
 */
record CallDataSourceProxy(DataSource dataSource, CallConnections connections) implements MethodInterceptor {

	private static final boolean HIKARI = ClassUtils.isPresent("com.zaxxer.hikari.HikariDataSource",
			CallDataSourceProxy.class.getClassLoader());

	/**
	 * A subclass where there can be one, else what the interfaces allow.
	 */
	static Object of(DataSource dataSource, CallConnections connections) {
		ProxyFactory proxy = new ProxyFactory(dataSource);
		proxy.addAdvice(new CallDataSourceProxy(dataSource, connections));
		proxy.setProxyTargetClass(true);
		try {
			Object subclass = proxy.getProxy(dataSource.getClass().getClassLoader());
			if (HIKARI) {
				HikariWait.showPool(dataSource, subclass);
			}
			return subclass;
		}
		catch (AopConfigException ex) {
			proxy.setProxyTargetClass(false);
			return proxy.getProxy(dataSource.getClass().getClassLoader());
		}
	}

	@Override
	public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		if (!invocation.getMethod().getName().equals("getConnection")) {
			return invocation.proceed();
		}
		return this.connections.get((maxMillis) -> proceed(invocation, maxMillis), HikariLenders.find(this.dataSource));
	}

	private Connection proceed(MethodInvocation invocation, long maxMillis) throws SQLException {
		Connection bounded = HIKARI ? HikariWait.findConnection(this.dataSource, maxMillis) : null;
		if (bounded != null) {
			return bounded;
		}
		try {
			return (Connection) invocation.proceed();
		}
		catch (SQLException | RuntimeException | Error ex) {
			throw ex;
		}
		catch (Throwable ex) {
			throw new UndeclaredThrowableException(ex);
		}
	}

}
