package io.github.grpcresilience.sample.inventory;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Knows over gRPC what is in stock.
 */
@SpringBootApplication
public class InventoryApplication {

}
