package io.github.grpcresilience.stacks;

import io.grpc.Status;
import net.devh.boot.grpc.server.advice.GrpcAdvice;
import net.devh.boot.grpc.server.advice.GrpcExceptionHandler;

/**
 * What the application says of exceptions in the way of this stack.
 */
@GrpcAdvice
public class Advice {

	@GrpcExceptionHandler
	public Status handle(Shop.Teapot thrown) {
		return Status.FAILED_PRECONDITION.withDescription("advice");
	}

}
