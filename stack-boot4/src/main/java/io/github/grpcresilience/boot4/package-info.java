/**
 * Glue for the gRPC and the HTTP clients of Spring Boot 4.
 */
@NullMarked
package io.github.grpcresilience.boot4;

import org.jspecify.annotations.NullMarked;
