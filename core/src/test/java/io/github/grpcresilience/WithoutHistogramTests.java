package io.github.grpcresilience;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.policy.HedgeDelay;
import io.github.grpcresilience.policy.InvalidPolicyException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What asks for a percentile where nothing can tell one, on a class path without
 * HdrHistogram.
 */
class WithoutHistogramTests {

	@Test
	void percentileIsAMistake() throws Exception {
		assertThat(build(Percentile.class)).contains("grpc.resilience.client.policies.shop.hedge.delay = p95",
				"add org.hdrhistogram:HdrHistogram");
	}

	@Test
	void percentileThatNobodyWroteIsAMistake() throws Exception {
		assertThat(build(NoDelay.class)).contains("grpc.resilience.client.policies.shop.hedge.max-attempts = 2",
				"write a duration as hedge.delay");
		assertThat(build(NoDelayForAClient.class)).contains("grpc.resilience.client.policies.shop.hedge.max-attempts");
	}

	@Test
	void durationIsNone() throws Exception {
		assertThat(build(Written.class)).isEqualTo("built");
	}

	@SuppressWarnings("unchecked")
	private static String build(Class<? extends Function<String, String>> user) throws Exception {
		List<URL> urls = new ArrayList<>();
		for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
			if (!entry.contains("HdrHistogram")) {
				urls.add(new File(entry).toURI().toURL());
			}
		}
		try (URLClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new),
				ClassLoader.getPlatformClassLoader())) {
			Class<?> type = loader.loadClass(user.getName());
			return ((Function<String, String>) type.getDeclaredConstructor().newInstance()).apply("test.v1.Shop");
		}
	}

	private static String build(Policies policies) {
		try {
			GrpcResilience.builder().policies(policies.define()).build().close();
			return "built";
		}
		catch (InvalidPolicyException ex) {
			return ex.getMessage();
		}
	}

	private static Policies.Layer shop(String service) {
		return Policies.client()
			.policy("shop", service)
			.with(AttemptSettings.IDEMPOTENT, true)
			.with(AttemptSettings.HEDGE_MAX_ATTEMPTS, 2);
	}

	public static class Percentile implements Function<String, String> {

		@Override
		public String apply(String service) {
			return build(shop(service).with(AttemptSettings.HEDGE_DELAY, HedgeDelay.percentile(95)).end());
		}

	}

	public static class NoDelay implements Function<String, String> {

		@Override
		public String apply(String service) {
			return build(shop(service).end());
		}

	}

	public static class NoDelayForAClient implements Function<String, String> {

		@Override
		public String apply(String service) {
			return build(shop(service).clients("billing").end());
		}

	}

	public static class Written implements Function<String, String> {

		@Override
		public String apply(String service) {
			return build(shop(service).with(AttemptSettings.HEDGE_DELAY, HedgeDelay.of(Duration.ofMillis(40))).end());
		}

	}

}
