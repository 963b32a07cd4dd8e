package io.github.grpcresilience.stacks;

import java.time.Duration;
import java.time.Instant;

import io.grpc.Status;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

/**
 * A service with an edge of WebFlux.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({ Reactive.Shelf.class, ServerPort.class })
class Reactive {

	/** Asks itself over HTTP. */
	@Bean
	ServedShop shop(WebClient.Builder http, Environment environment) {
		return new ServedShop((request) -> http.build()
			.get()
			.uri("http://localhost:" + environment.getProperty("local.server.port") + "/shelf/" + request)
			.retrieve()
			.bodyToMono(String.class)
			.block());
	}

	@RestController
	@RequestMapping("/shelf")
	static class Shelf {

		@GetMapping("/remaining")
		Mono<String> remaining() {
			return Mono.fromCallable(Inventory::remaining);
		}

		@GetMapping("/fail")
		Mono<String> fail(ServerHttpResponse response) {
			response.getHeaders().setETag("\"1\"");
			response.getHeaders().setLastModified(Instant.EPOCH);
			return Mono.error(Status.NOT_FOUND.withDescription("no such article").asRuntimeException());
		}

		@GetMapping("/wait")
		Mono<String> waitForLong() {
			return Mono.delay(Duration.ofSeconds(20)).map(String::valueOf);
		}

	}

}
