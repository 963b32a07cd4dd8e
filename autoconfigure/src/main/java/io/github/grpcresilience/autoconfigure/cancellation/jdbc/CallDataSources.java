package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;

import javax.sql.DataSource;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.util.ClassUtils;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.JdbcCover;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.JdbcWork;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.internal.cancel.WorkCanceller;
import io.github.grpcresilience.internal.cancel.jdbc.CallConnections;
import io.github.grpcresilience.policy.Mode;

/**
 * Makes the statements of {@link DataSource} beans end with their call: of pools that it
 * knows, beneath and in place, so that the bean stays what it is; of others, a proxy in
 * front of the bean where the application asks for it. What it leaves alone is a finding.
 */
final class CallDataSources implements BeanPostProcessor, PriorityOrdered, DisposableBean, FindingSource {

	private static final List<PoolCover> COVERS = covers();

	private static final boolean SPRING_JDBC = isPresent("org.springframework.jdbc.datasource.DelegatingDataSource");

	private final Canceller canceller;

	private final ObjectProvider<BoundProperties> properties;

	/** By the name of the bean. */
	private final ConcurrentMap<String, Finding> findings = new ConcurrentHashMap<>();

	/** Pools that are covered, by the name of the bean. */
	private final ConcurrentMap<String, Wait> waits = new ConcurrentHashMap<>();

	CallDataSources(ObjectProvider<GrpcResilience> resilience, ObjectProvider<BoundProperties> properties) {
		// Not before a call executes a statement: its parts may need a data source.
		this.canceller = new Canceller(() -> resilience.getObject().work().canceller());
		this.properties = properties;
	}

	private static List<PoolCover> covers() {
		List<PoolCover> covers = new ArrayList<>();
		if (isPresent("com.zaxxer.hikari.HikariDataSource")) {
			covers.add(new HikariCover());
		}
		if (isPresent("org.apache.tomcat.jdbc.pool.DataSourceProxy")) {
			covers.add(new TomcatCover());
		}
		if (isPresent("org.apache.commons.dbcp2.BasicDataSource")) {
			covers.add(new DbcpCover());
		}
		return List.copyOf(covers);
	}

	private static boolean isPresent(String type) {
		return ClassUtils.isPresent(type, CallDataSources.class.getClassLoader());
	}

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (!(bean instanceof DataSource dataSource)
				|| this.properties.getObject().properties().mode() != Mode.ENFORCE) {
			return bean;
		}
		JdbcWork settings = this.properties.getObject().properties().cancellation().jdbc();
		if (settings.exemptBeans().contains(beanName)) {
			return bean;
		}
		if (settings.beans().get(beanName) == JdbcCover.PROXY) {
			return CallDataSourceProxy.of(dataSource,
					new CallConnections(this.canceller, settings.queryTimeout(), Set::of));
		}
		cover(dataSource, beanName, settings);
		return bean;
	}

	private void cover(DataSource dataSource, String beanName, JdbcWork settings) {
		for (PoolCover cover : COVERS) {
			if (cover.fits(dataSource)) {
				cover(cover, dataSource, beanName, settings);
				return;
			}
		}
		Collection<DataSource> behind = SPRING_JDBC ? DataSourcesBehind.of(dataSource) : List.of();
		if (!behind.isEmpty()) {
			behind.forEach((inner) -> cover(inner, beanName, settings));
		}
		else if (!(dataSource instanceof BeneathDataSource)) {
			leftAlone(beanName, "statements on it do not end with their call, since a "
					+ dataSource.getClass().getName() + " is no pool that is known");
		}
	}

	private void cover(PoolCover cover, DataSource pool, String beanName, JdbcWork settings) {
		try {
			CallConnections covered = cover.find(pool);
			if (covered != null) {
				covered.serve(this.canceller, settings.queryTimeout());
			}
			else {
				cover.cover(pool,
						(ownStatements) -> new CallConnections(this.canceller, settings.queryTimeout(), ownStatements));
			}
			this.waits.put(beanName, new Wait(cover, pool));
		}
		catch (RuntimeException | LinkageError ex) {
			leftAlone(beanName, "statements on it do not end with their call: " + ex.getMessage());
		}
	}

	private void leftAlone(String beanName, String message) {
		this.findings.put(beanName,
				new Finding("DATA_SOURCE_NOT_COVERED", Severity.INFO, beanName, message,
						"set grpc.resilience.cancellation.jdbc.beans." + beanName
								+ " to proxy for a proxy in front of it," + " or add it to exempt-beans"));
	}

	/**
	 * What was left alone, and pools that wait for longer than most calls have time.
	 */
	@Override
	public List<Finding> findings() {
		List<Finding> found = new ArrayList<>(this.findings.values());
		long budget = this.properties.getObject().properties().server().deadline().defaultBudget().toMillis();
		this.waits.forEach((beanName, wait) -> {
			if (wait.millis() > budget) {
				found.add(new Finding("CONNECTION_WAIT_ABOVE_BUDGET", Severity.INFO, beanName,
						"its calls wait for a connection for up to " + wait.millis()
								+ " ms, although a call without a deadline of its own has " + budget + " ms",
						"shorten the pool's own timeout for connections, or set"
								+ " grpc.resilience.cancellation.jdbc.beans." + beanName + " to proxy"));
			}
		});
		return found;
	}

	/**
	 * Lets go of the application.
	 */
	@Override
	public void destroy() {
		this.canceller.end();
	}

	/**
	 * What cancels statements. Pools that outlive their application find nothing of it
	 * there, nor do the threads in which HikariCP remembers the connections of pools that
	 * are closed.
	 */
	private static final class Canceller implements Supplier<WorkCanceller> {

		private volatile SingletonSupplier<WorkCanceller> canceller;

		Canceller(Supplier<WorkCanceller> canceller) {
			this.canceller = SingletonSupplier.of(canceller);
		}

		@Override
		public WorkCanceller get() {
			return this.canceller.obtain();
		}

		void end() {
			this.canceller = SingletonSupplier.of(WorkCanceller.none());
		}

	}

	/** How long a pool waits, asked when somebody wants to know. */
	private record Wait(PoolCover cover, DataSource pool) {

		long millis() {
			return this.cover.maxWaitMillis(this.pool);
		}

	}

}
