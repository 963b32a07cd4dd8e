package io.github.grpcresilience.autoconfigure;

import java.lang.reflect.UndeclaredThrowableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import javax.sql.DataSource;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopConfigException;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.DestructionAwareBeanPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.util.ClassUtils;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.cancel.jdbc.CallConnections;
import io.github.grpcresilience.cancel.jdbc.ConnectionEvictor;

/**
 * Makes the statements of every {@link DataSource} bean end with their call. Whoever
 * injects the bean by its class gets that class. Comes before other processors that wrap
 * data sources, which then wrap ours.
 */
final class CallDataSources implements DestructionAwareBeanPostProcessor, PriorityOrdered {

	private static final boolean HIKARI = ClassUtils.isPresent("com.zaxxer.hikari.HikariDataSource",
			CallDataSources.class.getClassLoader());

	private final CallConnections connections;

	private final ObjectProvider<BoundProperties> properties;

	/**
	 * The pools that took the place of others, which are all that the container knows.
	 */
	private final Map<Object, AutoCloseable> replacements = new ConcurrentHashMap<>();

	CallDataSources(ObjectProvider<GrpcResilience> resilience, ObjectProvider<BoundProperties> properties) {
		// Not before somebody needs a connection: its parts may need a data source.
		this.connections = new CallConnections(SingletonSupplier.of(() -> resilience.getObject().canceller())::obtain);
		this.properties = properties;
	}

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (!(bean instanceof DataSource dataSource) || isExempt(beanName)) {
			return bean;
		}
		if (HIKARI && HikariPools.isPlainAndNotStarted(bean)) {
			AutoCloseable pool = HikariPools.replace(bean, this.connections);
			this.replacements.put(bean, pool);
			return pool;
		}
		return proxy(dataSource);
	}

	private boolean isExempt(String beanName) {
		return this.properties.getObject().properties().cancellation().jdbc().exemptBeans().contains(beanName);
	}

	/**
	 * A subclass where there can be one, else what the interfaces allow.
	 */
	private Object proxy(DataSource dataSource) {
		ProxyFactory proxy = new ProxyFactory(dataSource);
		proxy.addAdvice(new GetConnection(dataSource, this.connections));
		proxy.setProxyTargetClass(true);
		try {
			Object subclass = proxy.getProxy(dataSource.getClass().getClassLoader());
			if (HIKARI) {
				HikariPools.showPool(dataSource, subclass);
			}
			return subclass;
		}
		catch (AopConfigException ex) {
			proxy.setProxyTargetClass(false);
			return proxy.getProxy(dataSource.getClass().getClassLoader());
		}
	}

	@Override
	public boolean requiresDestruction(Object bean) {
		return this.replacements.containsKey(bean);
	}

	@Override
	public void postProcessBeforeDestruction(Object bean, String beanName) {
		AutoCloseable replacement = this.replacements.remove(bean);
		if (replacement != null) {
			try {
				replacement.close();
			}
			catch (Exception ex) {
				throw new IllegalStateException("cannot close data source " + beanName, ex);
			}
		}
	}

	/**
	 * Gets a connection from the data source behind the proxy.
	 */
	private record GetConnection(DataSource dataSource, CallConnections connections) implements MethodInterceptor {

		@Override
		public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
			if (!invocation.getMethod().getName().equals("getConnection")) {
				return invocation.proceed();
			}
			return this.connections.get((maxMillis) -> proceed(invocation, maxMillis),
					HIKARI ? HikariPools.evictorOf(this.dataSource) : ConnectionEvictor.NONE);
		}

		private Connection proceed(MethodInvocation invocation, long maxMillis) throws SQLException {
			Connection bounded = HIKARI ? HikariPools.findConnection(this.dataSource, maxMillis) : null;
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

}
