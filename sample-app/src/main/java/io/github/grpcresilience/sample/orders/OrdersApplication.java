package io.github.grpcresilience.sample.orders;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Takes orders over gRPC and asks inventory.
 */
@SpringBootApplication
public class OrdersApplication {

}
