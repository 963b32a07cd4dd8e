package io.github.grpcresilience.sample.inventory;

import org.springframework.context.annotation.Profile;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.stereotype.Component;

/**
 * MariaDB, with profile {@code mariadb}.
 */
@Component
@Profile("mariadb")
final class MariaDbDatabase implements ShopDatabase {

	@Override
	public StatementSpec findBySku(JdbcClient jdbc, String sku, long busyMillis) {
		return jdbc.sql("select sku, name, available from stock where sku = :sku and sleep(:seconds) = 0")
			.param("sku", sku)
			.param("seconds", busyMillis / 1_000.0);
	}

	@Override
	public String runningSql() {
		return """
				select info as statement, time_ms as running_ms
				from information_schema.processlist
				where command = 'Query' and db = database() and id <> connection_id()""";
	}

}
