package io.github.grpcresilience.sample.inventory;

import java.util.Optional;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/**
 * The stock in the database. Its statements take as long as they are asked to.
 */
@Repository
class StockRepository {

	private final JdbcClient jdbc;

	private final ShopDatabase database;

	StockRepository(JdbcClient jdbc, ShopDatabase database) {
		this.jdbc = jdbc;
		this.database = database;
	}

	/**
	 * Looks an article up.
	 * @param busyMillis how long the statement keeps the database busy, in milliseconds
	 */
	Optional<Stock> findBySku(String sku, long busyMillis) {
		return this.database.findBySku(this.jdbc, sku, busyMillis).query(Stock.class).optional();
	}

	/**
	 * Sets a quantity aside, all or nothing.
	 * @throws OutOfStockException if there is not enough
	 */
	void reserve(String sku, int quantity) {
		int updated = this.jdbc
			.sql("update stock set available = available - :quantity where sku = :sku and available >= :quantity")
			.param("sku", sku)
			.param("quantity", quantity)
			.update();
		if (updated == 0) {
			throw new OutOfStockException(sku);
		}
	}

}
