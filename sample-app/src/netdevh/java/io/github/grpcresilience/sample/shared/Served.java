package io.github.grpcresilience.sample.shared;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import net.devh.boot.grpc.server.service.GrpcService;

/**
 * A service that net.devh's starter serves.
 */
@GrpcService
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface Served {

}
