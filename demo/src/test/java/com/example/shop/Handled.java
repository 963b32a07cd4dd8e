package com.example.shop;

import java.util.Map;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * What has answers of its own for its exceptions.
 */
@RestController
@RequestMapping("/handled")
class Handled {

	@GrpcClient("prices")
	private Channel prices;

	@GetMapping
	String handled() {
		throw new UnsupportedOperationException("not today");
	}

	@GetMapping("/{sku}")
	String price(@PathVariable String sku) {
		return ClientCalls.blockingUnaryCall(this.prices, Prices.GET, CallOptions.DEFAULT, sku);
	}

	@ExceptionHandler
	ResponseEntity<Map<String, String>> handle(UnsupportedOperationException ex) {
		return answer(HttpStatus.NOT_IMPLEMENTED, ex);
	}

	@ExceptionHandler
	ResponseEntity<Map<String, String>> handle(StatusRuntimeException ex) {
		return answer(HttpStatus.BAD_GATEWAY, ex);
	}

	private static ResponseEntity<Map<String, String>> answer(HttpStatus status, Exception ex) {
		return ResponseEntity.status(status).body(Map.of("reason", String.valueOf(ex.getMessage())));
	}

}
