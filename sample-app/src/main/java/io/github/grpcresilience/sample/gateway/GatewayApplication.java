package io.github.grpcresilience.sample.gateway;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Import;

import io.github.grpcresilience.sample.shared.Channels;

/**
 * The edge of the shop: HTTP in, gRPC out.
 */
@SpringBootApplication
@Import(Channels.class)
public class GatewayApplication {

}
