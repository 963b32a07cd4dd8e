package io.github.grpcresilience.sample.inventory;

import java.util.Optional;
import java.util.concurrent.TimeUnit;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/**
 * The stock in the database. Its statements take as long as they are asked to.
 */
@Repository
class StockRepository {

	private final JdbcClient jdbc;

	StockRepository(JdbcClient jdbc) {
		this.jdbc = jdbc;
	}

	/**
	 * Looks an article up.
	 * @param busyMillis how long the statement keeps the database busy, in milliseconds
	 */
	Optional<Stock> findBySku(String sku, long busyMillis) {
		return this.jdbc.sql("""
				select sku, name, available from stock where sku = :sku
				and (select sum(spin_until(:end)) from system_range(1, :slices)) is distinct from -1""")
			.param("sku", sku)
			.param("end", System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(busyMillis))
			.param("slices", busyMillis * BusyDatabase.SLICES_PER_MILLI)
			.query(Stock.class)
			.optional();
	}

	/**
	 * Sets a quantity aside, all or nothing.
	 * @return false if there is not enough
	 */
	boolean reserve(String sku, int quantity) {
		return this.jdbc
			.sql("update stock set available = available - :quantity where sku = :sku and available >= :quantity")
			.param("sku", sku)
			.param("quantity", quantity)
			.update() == 1;
	}

}
