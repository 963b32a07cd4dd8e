package io.github.grpcresilience.sample.inventory;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;

/**
 * What differs between the databases that the shop runs on.
 */
interface ShopDatabase {

	/**
	 * Looks an article up, and keeps the database busy meanwhile.
	 * @param busyMillis how long, in milliseconds
	 */
	StatementSpec findBySku(JdbcClient jdbc, String sku, long busyMillis);

	/**
	 * Asks the database what it runs for the application, apart from this very question:
	 * columns {@code statement} and {@code running_ms}.
	 */
	String runningSql();

}
