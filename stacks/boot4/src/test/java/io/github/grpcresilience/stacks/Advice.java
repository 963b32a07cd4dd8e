package io.github.grpcresilience.stacks;

import io.grpc.Status;
import org.springframework.grpc.server.advice.GrpcAdvice;
import org.springframework.grpc.server.advice.GrpcExceptionHandler;

/**
 * What the application says of exceptions in the way of this stack.
 */
@GrpcAdvice
public class Advice {

	@GrpcExceptionHandler(Shop.Teapot.class)
	public Status handle(Shop.Teapot thrown) {
		return Status.FAILED_PRECONDITION.withDescription("advice");
	}

}
