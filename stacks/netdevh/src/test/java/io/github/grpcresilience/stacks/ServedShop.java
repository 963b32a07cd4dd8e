package io.github.grpcresilience.stacks;

import net.devh.boot.grpc.server.service.GrpcService;

/**
 * The service as this stack finds it.
 */
@GrpcService
class ServedShop extends Shop {

	ServedShop(Work work) {
		super(work);
	}

}
