package io.github.grpcresilience.autoconfigure;

/**
 * Lets requests of HTTP clients end with the call that makes them. A bean for each kind
 * of client, called by whatever Spring Boot calls when it builds one; not for
 * applications. Safe for concurrent use.
 *
 * @param <C> what is customized, such as {@code RestClient.Builder}
 */
@FunctionalInterface
public interface GrpcResilienceHttpClientCustomizer<C> {

	/**
	 * Covers what a client sends with. Comes after all other customizers.
	 * @param client the client or its builder
	 */
	void customize(C client);

}
