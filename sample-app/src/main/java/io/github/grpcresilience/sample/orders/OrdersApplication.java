package io.github.grpcresilience.sample.orders;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.EnableAsync;

import io.github.grpcresilience.sample.shared.Channels;

/**
 * Takes orders over gRPC and asks inventory.
 */
@EnableAsync
@SpringBootApplication
@Import(Channels.class)
public class OrdersApplication {

}
