package io.github.grpcresilience.autoconfigure.cancellation.http;

import org.apache.hc.client5.http.impl.ChainElement;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.http.client.HttpComponentsClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.JettyClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.ReactorClientHttpRequestFactoryBuilder;

/**
 * Prepares request factories that an interrupt does not stop, or not without harm.
 */
final class RequestFactoryPostProcessor implements BeanPostProcessor {

	@Override
	public Object postProcessAfterInitialization(Object bean, String name) {
		if (bean instanceof HttpComponentsClientHttpRequestFactoryBuilder apache) {
			return Apache.prepare(apache);
		}
		if (bean instanceof JettyClientHttpRequestFactoryBuilder jetty) {
			return Jetty.prepare(jetty);
		}
		if (bean instanceof ReactorClientHttpRequestFactoryBuilder reactor) {
			return Reactor.prepare(reactor);
		}
		return bean;
	}

	/**
	 * Apart, because Apache's client may be absent.
	 */
	private static final class Apache {

		/** Inside of redirects and retries, outside of the wait for a connection. */
		private static final String NEXT = ChainElement.PROTOCOL.name();

		static HttpComponentsClientHttpRequestFactoryBuilder prepare(
				HttpComponentsClientHttpRequestFactoryBuilder builder) {
			return builder.withHttpClientCustomizer(
					(client) -> client.addExecInterceptorBefore(NEXT, "grpc-resilience", new ApacheExchangeHandler()));
		}

	}

	/**
	 * Apart, because Jetty's client may be absent.
	 */
	private static final class Jetty {

		static JettyClientHttpRequestFactoryBuilder prepare(JettyClientHttpRequestFactoryBuilder builder) {
			return builder.withHttpClientCustomizer(
					(client) -> client.getRequestListeners().addQueuedListener(new JettyExchangeListener()));
		}

	}

	/**
	 * Apart, because Reactor Netty may be absent.
	 */
	private static final class Reactor {

		static ReactorClientHttpRequestFactoryBuilder prepare(ReactorClientHttpRequestFactoryBuilder builder) {
			return builder.withHttpClientCustomizer(ReactorNettyRequest::guard);
		}

	}

}
