package io.github.grpcresilience.sample.inventory;

import java.util.List;

import com.zaxxer.hikari.HikariDataSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Lists what the database says it is running, over a connection that is not one of the
 * pool's: those may all be busy.
 */
@RestController
final class ActiveStatementsController {

	private final JdbcTemplate jdbc;

	private final ShopDatabase database;

	ActiveStatementsController(HikariDataSource pool, ShopDatabase database) {
		this.jdbc = new JdbcTemplate(
				new DriverManagerDataSource(pool.getJdbcUrl(), pool.getUsername(), pool.getPassword()));
		this.database = database;
	}

	@GetMapping("/db/active")
	List<ActiveStatement> active() {
		return this.jdbc.query(this.database.runningSql(),
				(row, number) -> new ActiveStatement(row.getString("statement"), row.getLong("running_ms")));
	}

	record ActiveStatement(String statement, long runningMs) {
	}

}
