package io.github.grpcresilience.boot4;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.restclient.RestClientCustomizer;
import org.springframework.boot.restclient.RestTemplateCustomizer;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceHttpClientCustomizer;

/**
 * Lets requests of RestClient, RestTemplate and WebClient end with the call that makes
 * them, if they come from Spring Boot's builders. Each comes last, and so sees what other
 * customizers have set.
 */
@AutoConfiguration(afterName = "io.github.grpcresilience.autoconfigure.HttpClientCancellationAutoConfiguration")
@ConditionalOnProperty(name = "grpc.resilience.cancellation.http.enabled", matchIfMissing = true)
@ConditionalOnBean(GrpcResilience.class)
final class Boot4HttpClientAutoConfiguration {

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.boot.restclient.RestClientCustomizer")
	static final class RestClients {

		@Bean
		@ConditionalOnMissingBean(name = "grpcResilienceRestClientCustomizer")
		@Order(Ordered.LOWEST_PRECEDENCE)
		RestClientCustomizer grpcResilienceRestClientCustomizer(
				GrpcResilienceHttpClientCustomizer<RestClient.Builder> clients) {
			return clients::customize;
		}

		@Bean
		@ConditionalOnMissingBean(name = "grpcResilienceRestTemplateCustomizer")
		@Order(Ordered.LOWEST_PRECEDENCE)
		RestTemplateCustomizer grpcResilienceRestTemplateCustomizer(
				GrpcResilienceHttpClientCustomizer<RestTemplate> templates) {
			return templates::customize;
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.boot.webclient.WebClientCustomizer")
	static final class WebClients {

		@Bean
		@ConditionalOnMissingBean(name = "grpcResilienceWebClientCustomizer")
		@Order(Ordered.LOWEST_PRECEDENCE)
		WebClientCustomizer grpcResilienceWebClientCustomizer(
				GrpcResilienceHttpClientCustomizer<WebClient.Builder> clients) {
			return clients::customize;
		}

	}

}
