package io.github.grpcresilience.sample.inventory;

/**
 * How much of an article is available.
 */
record Stock(String sku, String name, int available) {
}
