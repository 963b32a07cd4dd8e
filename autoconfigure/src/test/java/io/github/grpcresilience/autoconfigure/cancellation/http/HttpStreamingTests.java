package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.http.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.autoconfigure.http.client.HttpClientAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestClientAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.client.RestTemplateCustomizer;
import org.springframework.core.io.InputStreamResource;
import org.springframework.core.io.Resource;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.InterceptingClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.TestCall;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Bodies that are sent while they are made, with and without a call. The rest of a body
 * is made only once the server has seen its beginning, so who holds it back fails.
 */
class HttpStreamingTests {

	private static final int FIRST = 4 << 20;

	private static final int LENGTH = 2 * FIRST;

	private final CountDownLatch begun = new CountDownLatch(1);

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(
			AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, HttpClientCancellationAutoConfiguration.class,
					HttpClientAutoConfiguration.class, HttpMessageConvertersAutoConfiguration.class,
					RestClientAutoConfiguration.class, RestTemplateAutoConfiguration.class));

	private HttpServer server;

	@BeforeEach
	void start() throws IOException {
		this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		this.server.setExecutor(this.threads);
		this.server.createContext("/", this::receive);
		this.server.start();
	}

	@AfterEach
	void stop() {
		this.server.stop(0);
		this.threads.shutdownNow();
	}

	/**
	 * Answers with the length that was announced, and the one that was received.
	 */
	private void receive(HttpExchange exchange) throws IOException {
		long received = exchange.getRequestBody().readNBytes(1).length;
		this.begun.countDown();
		received += exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
		byte[] answer = (exchange.getRequestHeaders().getFirst("Content-Length") + " " + received)
			.getBytes(StandardCharsets.UTF_8);
		exchange.sendResponseHeaders(200, answer.length);
		exchange.getResponseBody().write(answer);
		exchange.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdk", "http-components", "jetty", "reactor", "simple" })
	void bodiesOfRestClientStream(String factory) {
		this.runner.withPropertyValues("spring.http.client.factory=" + factory).run((context) -> {
			RestClient client = context.getBean(RestClient.Builder.class).build();
			assertStreams((uri, body) -> client.post().uri(uri).body(body).retrieve().body(String.class), false);
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdk", "http-components", "jetty", "reactor", "simple" })
	void bodiesOfRestClientStreamInACall(String factory) {
		this.runner.withPropertyValues("spring.http.client.factory=" + factory).run((context) -> {
			RestClient client = context.getBean(RestClient.Builder.class).build();
			assertStreams((uri, body) -> client.post().uri(uri).body(body).retrieve().body(String.class), true);
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdk", "http-components", "jetty", "reactor", "simple" })
	void bodiesOfRestTemplateStream(String factory) {
		this.runner.withPropertyValues("spring.http.client.factory=" + factory).run((context) -> {
			RestTemplate template = context.getBean(RestTemplateBuilder.class).build();
			assertStreams((uri, body) -> template.postForObject(uri, body, String.class), false);
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdk", "http-components", "jetty", "reactor", "simple" })
	void bodiesOfRestTemplateStreamInACall(String factory) {
		this.runner.withPropertyValues("spring.http.client.factory=" + factory).run((context) -> {
			RestTemplate template = context.getBean(RestTemplateBuilder.class).build();
			assertStreams((uri, body) -> template.postForObject(uri, body, String.class), true);
		});
	}

	@Test
	void factoryThatIsSetLaterStreamsToo() {
		this.runner.run((context) -> {
			RestClient client = context.getBean(RestClient.Builder.class)
				.requestFactory(new JdkClientHttpRequestFactory())
				.build()
				.mutate()
				.build();
			assertStreams((uri, body) -> client.post().uri(uri).body(body).retrieve().body(String.class), true);
		});
	}

	@Test
	void factoryOfATemplateIsWhatItWas() {
		this.runner.withPropertyValues("spring.http.client.factory=jdk").run((context) -> {
			RestTemplate template = context.getBean(RestTemplateBuilder.class).build();
			assertThat(template.getRequestFactory()).isExactlyInstanceOf(JdkClientHttpRequestFactory.class);
			assertThat(template.getInterceptors()).isEmpty();
			JdkClientHttpRequestFactory own = new JdkClientHttpRequestFactory();
			assertThat(context.getBean(RestTemplateBuilder.class).requestFactory(() -> own).build().getRequestFactory())
				.isSameAs(own);
		});
	}

	@Test
	void interceptorsOfTheApplicationStay() {
		ClientHttpRequestInterceptor own = (request, body, execution) -> execution.execute(request, body);
		this.runner.withBean(RestTemplateCustomizer.class, () -> (template) -> template.getInterceptors().add(own))
			.run((context) -> {
				RestTemplate template = context.getBean(RestTemplateBuilder.class).build();
				assertThat(template.getInterceptors()).startsWith(own);
				assertThat(template.getRequestFactory())
					.isExactlyInstanceOf(InterceptingClientHttpRequestFactory.class);
			});
	}

	private void assertStreams(Sending sending, boolean inCall) throws Exception {
		URI uri = URI.create("http://127.0.0.1:" + this.server.getAddress().getPort() + "/");
		Resource body = new Generated(this.begun);
		String answer;
		if (inCall) {
			try (TestCall call = TestCall.begin()) {
				answer = call.call(() -> sending.send(uri, body));
			}
		}
		else {
			answer = sending.send(uri, body);
		}
		assertThat(answer).isEqualTo(LENGTH + " " + LENGTH);
	}

	@FunctionalInterface
	private interface Sending {

		String send(URI uri, Resource body);

	}

	private static final class Generated extends InputStreamResource {

		Generated(CountDownLatch begun) {
			super(new HalfAfter(begun));
		}

		@Override
		public long contentLength() {
			return LENGTH;
		}

	}

	/**
	 * Makes the second half once somebody has seen the first.
	 */
	private static final class HalfAfter extends InputStream {

		private final CountDownLatch begun;

		private int made;

		HalfAfter(CountDownLatch begun) {
			this.begun = begun;
		}

		@Override
		public int read() {
			byte[] single = new byte[1];
			return (read(single, 0, 1) < 0) ? -1 : single[0];
		}

		@Override
		public int read(byte[] target, int offset, int length) {
			if (this.made == LENGTH) {
				return -1;
			}
			if (this.made == FIRST) {
				awaitBegun();
			}
			int count = Math.min(length, ((this.made < FIRST) ? FIRST : LENGTH) - this.made);
			this.made += count;
			return count;
		}

		private void awaitBegun() {
			try {
				if (!this.begun.await(10, TimeUnit.SECONDS)) {
					throw new UncheckedIOException(new IOException("the server has seen nothing of the first half"));
				}
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new UncheckedIOException(new IOException(ex));
			}
		}

	}

}
