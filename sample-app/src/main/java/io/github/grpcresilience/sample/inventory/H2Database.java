package io.github.grpcresilience.sample.inventory;

import java.util.concurrent.TimeUnit;

import org.springframework.context.annotation.Profile;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;
import org.springframework.stereotype.Component;

/**
 * H2 in memory, the default.
 */
@Component
@Profile("!postgres & !mariadb")
final class H2Database implements ShopDatabase {

	@Override
	public StatementSpec findBySku(JdbcClient jdbc, String sku, long busyMillis) {
		return jdbc.sql("""
				select sku, name, available from stock where sku = :sku
				and (select sum(spin_until(:end)) from system_range(1, :slices)) is distinct from -1""")
			.param("sku", sku)
			.param("end", System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(busyMillis))
			.param("slices", busyMillis * BusyDatabase.SLICES_PER_MILLI);
	}

	@Override
	public String runningSql() {
		return """
				select executing_statement as statement,
				  datediff(millisecond, executing_statement_start, current_timestamp) as running_ms
				from information_schema.sessions
				where executing_statement is not null and session_id <> session_id()""";
	}

}
