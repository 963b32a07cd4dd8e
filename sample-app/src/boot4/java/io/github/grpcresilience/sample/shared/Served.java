package io.github.grpcresilience.sample.shared;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.grpc.server.service.GrpcService;

/**
 * A service that Spring Boot's own gRPC serves.
 */
@GrpcService
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface Served {

}
