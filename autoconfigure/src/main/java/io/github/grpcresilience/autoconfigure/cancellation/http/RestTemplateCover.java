package io.github.grpcresilience.autoconfigure.cancellation.http;

import java.lang.reflect.Field;
import java.net.http.HttpClient;

import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.util.ReflectionUtils;
import org.springframework.web.client.RestTemplate;

import io.github.grpcresilience.GrpcResilience;

/**
 * Covers what templates send. A template shows its request factory to everybody, so the
 * JDK's client is covered beneath it; factories of other clients are wrapped.
 */
final class RestTemplateCover {

	private RestTemplateCover() {
	}

	static void cover(RestTemplate template, GrpcResilience resilience) {
		if (!template.getInterceptors().isEmpty()) {
			// Bodies are held in memory for them in any case, and each attempt is an
			// exchange.
			template.getInterceptors().add(new CallExchangeInterceptor(resilience.work().httpExchanges()));
			return;
		}
		ClientHttpRequestFactory factory = template.getRequestFactory();
		if (!(factory instanceof JdkClientHttpRequestFactory jdk) || !coverBeneath(jdk, resilience)) {
			template.setRequestFactory(CallRequestFactory.around(factory, resilience.work().httpExchanges()));
		}
	}

	private static boolean coverBeneath(JdkClientHttpRequestFactory factory, GrpcResilience resilience) {
		Field field = ReflectionUtils.findField(JdkClientHttpRequestFactory.class, null, HttpClient.class);
		if (field == null) {
			return false;
		}
		try {
			field.setAccessible(true);
			if (!(field.get(factory) instanceof HttpClient client)) {
				return false;
			}
			if (!client.getClass().getPackageName().startsWith(GrpcResilience.class.getPackageName())) {
				field.set(factory, resilience.work().httpClient(client));
			}
			return true;
		}
		catch (IllegalAccessException | RuntimeException ex) {
			return false; // the field is out of reach, and the factory is wrapped
		}
	}

}
