package io.github.grpcresilience.autoconfigure.stack;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

import org.springframework.boot.SpringBootVersion;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.util.ClassUtils;

import io.github.grpcresilience.autoconfigure.properties.OnGrpcResilienceEnabled;

/**
 * Fails the start where a starter is for another Spring Boot: before any of what it
 * brings along fails, with a message that names another culprit.
 */
final class StarterCheck implements ApplicationContextInitializer<ConfigurableApplicationContext>, Ordered {

	/** Stands in each starter that brings a stack along. */
	private static final String MARKER = "META-INF/grpc-resilience-starter.properties";

	@Override
	public int getOrder() {
		return Ordered.HIGHEST_PRECEDENCE;
	}

	@Override
	public void initialize(ConfigurableApplicationContext application) {
		if (OnGrpcResilienceEnabled.isEnabled(application.getEnvironment())) {
			ClassLoader loader = application.getClassLoader();
			check((loader != null) ? loader : ClassUtils.getDefaultClassLoader(), SpringBootVersion.getVersion());
		}
	}

	/**
	 * Looks at the starters that a class loader finds.
	 * @param running version of Spring Boot
	 */
	static void check(ClassLoader loader, String running) {
		try {
			List<URL> markers = Collections.list(loader.getResources(MARKER));
			for (URL marker : markers) {
				check(read(marker), running);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static Properties read(URL marker) throws IOException {
		Properties starter = new Properties();
		try (InputStream text = marker.openStream()) {
			starter.load(text);
		}
		return starter;
	}

	private static void check(Properties starter, String running) {
		String made = starter.getProperty("spring-boot", running);
		if (!major(made).equals(major(running))) {
			throw new WrongStarterException(starter.getProperty("artifact"), made, running);
		}
	}

	private static String major(String version) {
		return version.substring(0, version.indexOf('.'));
	}

}
