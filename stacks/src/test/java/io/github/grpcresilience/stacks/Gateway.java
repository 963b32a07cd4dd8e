package io.github.grpcresilience.stacks;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/**
 * The service in front, with an HTTP edge and clients of {@link Inventory}.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({ Gateway.Shelf.class, ServerPort.class })
class Gateway {

	/** One hop between: asks inventory, or itself over HTTP. */
	@Bean
	ServedShop shop(ApplicationContext application, RestClient.Builder http, Environment environment) {
		return new ServedShop((request) -> switch (request) {
			case "hop" -> Shop.call(Stack.channel(application, "inventory"), Shop.REMAINING, "");
			case "wait",
					"remaining" ->
				http.build()
					.get()
					.uri("http://localhost:" + environment.getProperty("local.server.port") + "/shelf/" + request)
					.retrieve()
					.body(String.class);
			default -> throw new IllegalArgumentException(request);
		});
	}

	@RestController
	@RequestMapping("/shelf")
	static class Shelf {

		private final CountDownLatch end = new CountDownLatch(1);

		private final Channel inventory;

		Shelf(ApplicationContext application) {
			this.inventory = Stack.channel(application, "inventory");
		}

		@GetMapping("/remaining")
		String remaining() {
			return Inventory.remaining() + " " + Shop.call(this.inventory, Shop.REMAINING, "");
		}

		@GetMapping("/fail")
		String fail(@RequestParam String kind) {
			return Shop.call(this.inventory, Shop.FAIL, kind);
		}

		@GetMapping("/slow")
		String slow() {
			return Shop.call(this.inventory, Shop.SLOW, "");
		}

		@GetMapping("/wait")
		String waitForLong() throws InterruptedException {
			return this.end.await(3, TimeUnit.SECONDS) ? "ended" : "late";
		}

	}

}
