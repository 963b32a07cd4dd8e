package io.github.grpcresilience.sample.orders;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.scheduling.annotation.EnableAsync;

/**
 * Takes orders over gRPC and asks inventory.
 */
@EnableAsync
@SpringBootApplication
public class OrdersApplication {

}
