package io.github.grpcresilience.autoconfigure.cancellation.http;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.client.RestClientCustomizer;
import org.springframework.boot.web.client.RestTemplateCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.GrpcResilienceHttpClientCustomizer;

/**
 * Lets requests of RestClient and RestTemplate end with the call that makes them, if they
 * come from Spring Boot's builders.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnProperty(name = "grpc.resilience.cancellation.http.enabled", matchIfMissing = true)
@ConditionalOnBean(GrpcResilience.class)
public final class HttpClientCancellationAutoConfiguration {

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = { "org.springframework.web.client.RestClient",
			"org.springframework.boot.web.client.RestClientCustomizer" })
	static final class RestClients {

		/**
		 * Comes last, and so sees what other customizers have set.
		 */
		@Bean
		@ConditionalOnMissingBean(name = "grpcResilienceRestClientCustomizer")
		@Order(Ordered.LOWEST_PRECEDENCE)
		RestClientCustomizer grpcResilienceRestClientCustomizer(GrpcResilience resilience) {
			return (client) -> RestClientCover.cover(client, resilience.work().httpExchanges());
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = { "org.springframework.web.client.RestTemplate",
			"org.springframework.boot.web.client.RestTemplateCustomizer" })
	static final class RestTemplates {

		@Bean
		@ConditionalOnMissingBean(name = "grpcResilienceRestTemplateCustomizer")
		@Order(Ordered.LOWEST_PRECEDENCE)
		RestTemplateCustomizer grpcResilienceRestTemplateCustomizer(GrpcResilience resilience) {
			return (template) -> RestTemplateCover.cover(template, resilience);
		}

	}

	/**
	 * For customizers of whichever Spring Boot it is.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.web.client.RestClient")
	static final class OfRestClients {

		@Bean
		GrpcResilienceHttpClientCustomizer<RestClient.Builder> grpcResilienceRestClients(GrpcResilience resilience) {
			return (client) -> RestClientCover.cover(client, resilience.work().httpExchanges());
		}

		@Bean
		static RestClientCover grpcResilienceRestClientCover(ObjectProvider<GrpcResilience> resilience) {
			return new RestClientCover(resilience::getObject);
		}

	}

	/**
	 * Likewise.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.web.client.RestTemplate")
	static final class OfRestTemplates {

		@Bean
		GrpcResilienceHttpClientCustomizer<RestTemplate> grpcResilienceRestTemplates(GrpcResilience resilience) {
			return (template) -> RestTemplateCover.cover(template, resilience);
		}

	}

	/**
	 * Likewise.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "org.springframework.web.reactive.function.client.WebClient")
	static final class OfWebClients {

		@Bean
		GrpcResilienceHttpClientCustomizer<WebClient.Builder> grpcResilienceWebClients(GrpcResilience resilience) {
			return (client) -> client.filter(new CallExchangeFilter(resilience.work().httpExchanges()));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = { "org.springframework.http.client.ClientHttpRequestFactory",
			"org.springframework.boot.http.client.HttpComponentsClientHttpRequestFactoryBuilder" })
	static final class RequestFactories {

		@Bean
		static RequestFactoryPostProcessor grpcResilienceRequestFactoryPostProcessor() {
			return new RequestFactoryPostProcessor();
		}

	}

}
