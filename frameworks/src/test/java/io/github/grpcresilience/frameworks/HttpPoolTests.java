package io.github.grpcresilience.frameworks;

import java.io.IOException;
import java.time.Duration;

import io.grpc.Status;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.http.client.reactive.ClientHttpConnectorAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.function.client.WebClientAutoConfiguration;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Reactor Netty's pool of connections, of which a WebClient has few.
 */
class HttpPoolTests {

	private static final int SIZE = 2;

	private static App app;

	@BeforeAll
	static void start() {
		app = App.of().auto(ClientHttpConnectorAutoConfiguration.class, WebClientAutoConfiguration.class).start();
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	/**
	 * A peer that cannot be reached for a while, and calls that give up meanwhile.
	 */
	@ParameterizedTest
	@EnumSource
	void poolIsWholeAfterAnOutage(Client client) throws IOException {
		try (FullPeer peer = FullPeer.start()) {
			Mono<String> request = client.request(app, httpClient(), peer.url());
			app.on("request", request::block);
			for (int i = 0; i < 2 * SIZE + 1; i++) {
				assertThat(app.code("request", App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			}
			peer.accept();
			App.soon().ignoreExceptions().until(() -> request.block(Duration.ofSeconds(5)), "ok"::equals);
			assertThat(app.call("request", App.LONG_MILLIS)).isEqualTo("ok");
			assertWhole(request);
		}
	}

	@Test
	void poolIsWholeAfterCallsThatEndedAtAnyMoment() throws Exception {
		try (HttpPeer peer = HttpPeer.start()) {
			Mono<String> request = Client.WEB_CLIENT.request(app, httpClient(), peer.url() + "/10");
			app.on("request", request::block);
			app.call("request", App.LONG_MILLIS);
			new Soak(500, 6, 90).run(app, "request");
			assertWhole(request);
		}
	}

	/**
	 * Outside of any call it has connections for all that it may have.
	 */
	private static void assertWhole(Mono<String> request) {
		assertThat(Flux.merge(request, request, request, request).collectList().block(Duration.ofSeconds(10)))
			.hasSize(2 * SIZE);
	}

	private static HttpClient httpClient() {
		return HttpClient.create(ConnectionProvider.builder("few")
			.maxConnections(SIZE)
			.maxIdleTime(Duration.ofMillis(50))
			.pendingAcquireTimeout(Duration.ofSeconds(2))
			.build());
	}

	/** Who makes the requests. */
	enum Client {

		WEB_CLIENT {

			@Override
			Mono<String> request(App app, HttpClient http, String url) {
				return app.bean(WebClient.Builder.class)
					.clientConnector(new ReactorClientHttpConnector(http))
					.build()
					.get()
					.uri(url)
					.retrieve()
					.bodyToMono(String.class);
			}

		},

		/** None that is known to the library. */
		REACTOR_NETTY {

			@Override
			Mono<String> request(App app, HttpClient http, String url) {
				return http.get().uri(url).responseContent().aggregate().asString();
			}

		};

		abstract Mono<String> request(App app, HttpClient http, String url);

	}

}
