package io.github.grpcresilience.sample.gateway;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * The edge of the shop: HTTP in, gRPC out.
 */
@SpringBootApplication
public class GatewayApplication {

}
