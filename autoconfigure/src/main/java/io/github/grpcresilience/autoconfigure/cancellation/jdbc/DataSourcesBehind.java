package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

import javax.sql.DataSource;

import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/**
 * The data sources that Spring's own ones stand in front of, such as the tenants of a
 * routing one. Loaded only where Spring's JDBC support is.
 */
final class DataSourcesBehind {

	private DataSourcesBehind() {
	}

	/**
	 * What is behind a data source.
	 * @return empty if nothing is, or it is not known
	 */
	static Collection<DataSource> of(DataSource dataSource) {
		if (dataSource instanceof AbstractRoutingDataSource routing) {
			try {
				List<DataSource> targets = new ArrayList<>(routing.getResolvedDataSources().values());
				if (routing.getResolvedDefaultDataSource() != null) {
					targets.add(routing.getResolvedDefaultDataSource());
				}
				return Set.copyOf(targets);
			}
			catch (IllegalStateException ex) {
				return List.of(); // it looks its targets up otherwise
			}
		}
		if (dataSource instanceof DelegatingDataSource delegating && delegating.getTargetDataSource() != null) {
			return List.of(delegating.getTargetDataSource());
		}
		return List.of();
	}

}
