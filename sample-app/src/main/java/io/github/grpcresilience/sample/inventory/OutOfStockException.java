package io.github.grpcresilience.sample.inventory;

/**
 * There is less of an article than somebody wants.
 */
final class OutOfStockException extends RuntimeException {

	private final String sku;

	OutOfStockException(String sku) {
		super(sku + " is out of stock");
		this.sku = sku;
	}

	String sku() {
		return this.sku;
	}

}
