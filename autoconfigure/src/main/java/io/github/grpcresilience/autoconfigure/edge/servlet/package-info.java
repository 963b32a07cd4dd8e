/**
 * The edge of Spring MVC and servlet containers.
 */
@NullMarked
package io.github.grpcresilience.autoconfigure.edge.servlet;

import org.jspecify.annotations.NullMarked;
