package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.web.client.RestClient;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.internal.cancel.http.CallExchanges;
import io.github.grpcresilience.policy.Mode;

/**
 * Covers what clients are built with: the request factory that Spring Boot has set, and
 * those that are set later.
 */
final class RestClientCover implements BeanPostProcessor {

	/** What Spring's builder holds, and tells nobody. */
	private static final String FACTORY = "requestFactory";

	/** Asked for when there is a builder: what processes beans comes before them. */
	private final Supplier<GrpcResilience> resilience;

	RestClientCover(Supplier<GrpcResilience> resilience) {
		this.resilience = resilience;
	}

	/**
	 * Covers the factory that a builder has.
	 */
	static void cover(RestClient.Builder builder, CallExchanges exchanges) {
		DirectFieldAccessor fields = new DirectFieldAccessor(builder);
		Object factory = fields.isReadableProperty(FACTORY) ? fields.getPropertyValue(FACTORY) : null;
		if (factory instanceof ClientHttpRequestFactory known) {
			builder.requestFactory(CallRequestFactory.around(known, exchanges));
		}
		else {
			builder.requestInterceptor(new CallExchangeInterceptor(exchanges));
		}
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String name) {
		return (bean instanceof RestClient.Builder builder && this.resilience.get().mode() == Mode.ENFORCE)
				? covered(builder) : bean;
	}

	private RestClient.Builder covered(RestClient.Builder builder) {
		return (RestClient.Builder) Proxy.newProxyInstance(RestClient.class.getClassLoader(),
				new Class<?>[] { RestClient.Builder.class }, (proxy, method, arguments) -> {
					if (arguments != null && arguments.length == 1
							&& arguments[0] instanceof ClientHttpRequestFactory own) {
						arguments[0] = CallRequestFactory.around(own, this.resilience.get().work().httpExchanges());
					}
					return result(proxy, builder, invoke(() -> method.invoke(builder, arguments)));
				});
	}

	private @Nullable Object result(Object proxy, RestClient.Builder builder, @Nullable Object result) {
		if (result == builder) {
			return proxy;
		}
		return (result instanceof RestClient.Builder copy) ? covered(copy) : result;
	}

	private static @Nullable Object invoke(Invocation invocation) throws Throwable {
		try {
			return invocation.invoke();
		}
		catch (InvocationTargetException ex) {
			throw ex.getTargetException();
		}
	}

	@FunctionalInterface
	private interface Invocation {

		@Nullable Object invoke() throws IllegalAccessException, InvocationTargetException;

	}

}
