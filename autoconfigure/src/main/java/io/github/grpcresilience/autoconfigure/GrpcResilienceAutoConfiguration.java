package io.github.grpcresilience.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;

/**
 * {@link AutoConfiguration Auto-configuration} of gRPC Resilience.
 */
@AutoConfiguration
@ConditionalOnBooleanProperty(name = "grpc.resilience.enabled", matchIfMissing = true)
public final class GrpcResilienceAutoConfiguration {

}
