package io.github.grpcresilience.autoconfigure.edge;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.data.jpa.JpaRepositoriesAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class EdgeJsonTests {

	@Test
	void isWhatAParserReads() throws Exception {
		Map<String, Object> object = new LinkedHashMap<>();
		object.put("text", "\"quoted\" back\\slash / \n\r\t\b\f\u0000\u001f\u007f\u2028");
		object.put("words", "Grüße, 寿司 🍣");
		object.put("number", 503);
		object.put("uri", URI.create("/a?b=%20"));
		object.put("none", Map.of());
		object.put("nothing", List.of());
		object.put("nested", List.of(Map.of("a", "b"), Map.of("c", List.of("d", 7))));
		byte[] json = EdgeJson.bytes(object);
		object.put("uri", "/a?b=%20");
		ObjectMapper mapper = new ObjectMapper();
		assertThat(mapper.readTree(json)).isEqualTo(mapper.valueToTree(object));
	}

	@Test
	void halvesOfCharactersAreEscaped() {
		assertThat(EdgeJson.bytes(Map.of("a", "x\ud83cy"))).asString(StandardCharsets.UTF_8)
			.isEqualTo("{\"a\":\"x\\ud83cy\"}");
		assertThat(EdgeJson.bytes(Map.of("a", "\udf63"))).asString(StandardCharsets.UTF_8)
			.isEqualTo("{\"a\":\"\\udf63\"}");
	}

	@ParameterizedTest
	@ValueSource(strings = { "servlet", "reactive" })
	void isTheSameWhateverTheApplicationWrites(String type) throws Exception {
		String expected = answer(type, Object.class);
		assertThat(expected).isEqualTo("""
				{"type":"about:blank","title":"Not Found","status":404,"detail":"told to",\
				"instance":"/call/fail:NOT_FOUND","code":"NOT_FOUND"}""");
		assertThat(answer(type, Bare.class)).isEqualTo(expected);
		assertThat(answer(type, Own.class)).isEqualTo(expected);
		for (String preferred : new String[] { "gson", "jsonb" }) {
			assertThat(answer(type, Object.class, "spring.mvc.converters.preferred-json-mapper=" + preferred,
					"spring.http.converters.preferred-json-mapper=" + preferred, "test.preferred=" + preferred))
				.isEqualTo(expected);
		}
	}

	private static String answer(String type, Class<?> configuration, String... properties) throws Exception {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(EdgeLawTests.Application.class,
				configuration)
			.properties(EdgeBackend.connection())
			.properties("spring.main.web-application-type=" + type, "server.port=0", "spring.jmx.enabled=false",
					"spring.autoconfigure.exclude=" + HibernateJpaAutoConfiguration.class.getName() + ","
							+ JpaRepositoriesAutoConfiguration.class.getName())
			.properties(properties)
			.run()) {
			assertPreferred(context);
			int port = ((WebServerApplicationContext) context).getWebServer().getPort();
			HttpRequest request = HttpRequest
				.newBuilder(URI.create("http://127.0.0.1:" + port + "/call/fail:NOT_FOUND"))
				.build();
			HttpResponse<String> response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
			assertThat(EdgeContract.type(response)).isEqualTo("application/problem+json");
			return response.body();
		}
	}

	/**
	 * Spring Boot has a converter of its own for what is preferred, and none for WebFlux.
	 */
	private static void assertPreferred(ConfigurableApplicationContext context) {
		String preferred = context.getEnvironment().getProperty("test.preferred");
		if (preferred != null && context instanceof ServletWebServerApplicationContext) {
			assertThat(context.containsBean(preferred + "HttpMessageConverter")).isTrue();
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Bare {

		@Bean
		ObjectMapper objectMapper() {
			return new ObjectMapper();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Own {

		@Bean
		ObjectMapper objectMapper() {
			return new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.UPPER_SNAKE_CASE)
				.setDefaultPropertyInclusion(Include.ALWAYS)
				.enable(SerializationFeature.INDENT_OUTPUT)
				.enable(SerializationFeature.WRAP_ROOT_VALUE);
		}

	}

}
