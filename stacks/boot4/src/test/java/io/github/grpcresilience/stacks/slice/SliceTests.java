package io.github.grpcresilience.stacks.slice;

import io.grpc.Status;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.webflux.test.autoconfigure.WebFluxTest;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.context.annotation.Import;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Slices of an application, whose stubs are mocks that fail.
 */
class SliceTests {

	@Nested
	@WebMvcTest
	@Import(Checkout.class)
	class Mvc {

		@Autowired
		private MockMvcTester mvc;

		@Test
		void failureOfAStubIsAnswered() {
			assertThat(this.mvc.get().uri("/checkout/NOT_FOUND")).hasStatus(404)
				.hasContentType(MediaType.APPLICATION_PROBLEM_JSON);
			assertThat(this.mvc.get().uri("/checkout/UNAVAILABLE")).hasStatus(503);
			assertThat(this.mvc.get().uri("/checkout/OK")).hasStatusOk();
		}

	}

	@Nested
	@WebFluxTest
	@Import(Checkout.class)
	class Flux {

		@Autowired
		private WebTestClient client;

		@Test
		void failureOfAStubIsAnswered() {
			this.client.get()
				.uri("/checkout/NOT_FOUND")
				.exchange()
				.expectStatus()
				.isNotFound()
				.expectHeader()
				.contentType(MediaType.APPLICATION_PROBLEM_JSON);
			this.client.get().uri("/checkout/UNAVAILABLE").exchange().expectStatus().isEqualTo(503);
			this.client.get().uri("/checkout/OK").exchange().expectStatus().isOk();
		}

	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	static class Application {

	}

	@RestController
	static class Checkout {

		@GetMapping("/checkout/{code}")
		String checkout(@PathVariable("code") Status.Code code) {
			if (code == Status.Code.OK) {
				return "done";
			}
			throw code.toStatus().asRuntimeException();
		}

	}

}
