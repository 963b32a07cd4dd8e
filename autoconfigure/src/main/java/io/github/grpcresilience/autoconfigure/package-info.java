/**
 * Auto-configuration of gRPC Resilience for Spring Boot.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure;

import org.jspecify.annotations.NullMarked;
