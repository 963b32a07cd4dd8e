package io.github.grpcresilience.sample.inventory;

import org.springframework.context.annotation.Profile;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.stereotype.Component;

/**
 * PostgreSQL, with profile {@code postgres}.
 */
@Component
@Profile("postgres")
final class PostgresDatabase implements ShopDatabase {

	@Override
	public StatementSpec findBySku(JdbcClient jdbc, String sku, long busyMillis) {
		return jdbc.sql("select sku, name, available from pg_sleep(:seconds), stock where sku = :sku")
			.param("sku", sku)
			.param("seconds", busyMillis / 1_000.0);
	}

	@Override
	public String runningSql() {
		return """
				select query as statement, extract(epoch from clock_timestamp() - query_start) * 1000 as running_ms
				from pg_stat_activity
				where state = 'active' and datname = current_database() and usename = current_user
				and backend_type = 'client backend' and pid <> pg_backend_pid()""";
	}

}
