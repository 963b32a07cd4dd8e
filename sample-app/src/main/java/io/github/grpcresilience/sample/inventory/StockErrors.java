package io.github.grpcresilience.sample.inventory;

import io.grpc.Status.Code;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * What exceptions of the stock, which knows no gRPC, mean to callers.
 */
@Configuration(proxyBeanMethods = false)
class StockErrors {

	@Bean
	ErrorMapper<OutOfStockException> outOfStock() {
		return ErrorMapper.of(OutOfStockException.class,
				(ex) -> GrpcError.answer(Code.FAILED_PRECONDITION)
					.reason("OUT_OF_STOCK")
					.with("sku", ex.sku())
					.message(ex.sku() + " is out of stock"));
	}

}
