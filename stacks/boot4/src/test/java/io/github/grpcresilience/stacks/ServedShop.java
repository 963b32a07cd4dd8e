package io.github.grpcresilience.stacks;

import org.springframework.grpc.server.service.GrpcService;

/**
 * The service as this stack finds it.
 */
@GrpcService
class ServedShop extends Shop {

	ServedShop(Work work) {
		super(work);
	}

}
