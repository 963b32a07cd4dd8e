package com.example.shop;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.opentelemetry.sdk.trace.SpanProcessor;
import net.devh.boot.grpc.server.event.GrpcServerStartedEvent;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.web.SecurityFilterChain;

/**
 * An application as people have it, which knows nothing of this library. Its main method
 * starts it, sends it requests, and writes down what was seen.
 */
@SpringBootApplication
@EnableAsync
@EnableScheduling
public class Shop {

	private final Items items;

	private int grpcPort;

	Shop(Items items) {
		this.items = items;
	}

	/**
	 * Starts the application.
	 * @param args the file to write to, and arguments of the application
	 */
	public static void main(String[] args) throws Exception {
		Seen seen = new Seen();
		SpringApplication application = new SpringApplication(Shop.class);
		application.addInitializers((context) -> context.getBeanFactory().registerSingleton("seen", seen));
		try (ConfigurableApplicationContext context = application.run(args)) {
			int httpPort = ((WebServerApplicationContext) context).getWebServer().getPort();
			ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", context.getBean(Shop.class).grpcPort)
				.usePlaintext()
				.build();
			new Caller("http://localhost:" + httpPort, channel, seen).callAll();
			channel.shutdownNow();
			// what ends after its answer
			Thread.sleep(1_000);
			seen.look(context);
		}
		seen.write(args[0]);
	}

	@Bean
	ApplicationListener<GrpcServerStartedEvent> started() {
		return (event) -> this.grpcPort = event.getPort();
	}

	@Bean
	SpanProcessor spans(Seen seen) {
		return seen.spans();
	}

	@Bean
	SecurityFilterChain security(HttpSecurity http) throws Exception {
		return http.csrf(AbstractHttpConfigurer::disable)
			.httpBasic(Customizer.withDefaults())
			.authorizeHttpRequests((requests) -> requests.requestMatchers("/account")
				.authenticated()
				.requestMatchers("/admin")
				.hasRole("ADMIN")
				.anyRequest()
				.permitAll())
			.build();
	}

	@Bean
	@RefreshScope
	Greeting greeting(Environment environment) {
		return new Greeting(environment.getProperty("shop.greeting", "hello"));
	}

	@Scheduled(fixedDelay = 3_600_000)
	void count() {
		this.items.count();
	}

	static class Greeting {

		private final String text;

		Greeting() {
			this("");
		}

		Greeting(String text) {
			this.text = text;
		}

		String text() {
			return this.text;
		}

	}

}
