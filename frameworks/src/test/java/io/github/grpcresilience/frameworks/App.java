package io.github.grpcresilience.frameworks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import org.awaitility.core.ConditionFactory;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.http.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.HttpHandlerAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.ReactiveWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.WebFluxAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.error.ErrorWebFluxAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.DispatcherServletAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.WebMvcAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.error.ErrorMvcAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

import io.github.grpcresilience.autoconfigure.GrpcResilienceEndpoint;

import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * An application that is on the starter, as people have it, and what it chooses besides.
 * Its callers are none of ours: they have a plain channel over loopback.
 */
final class App implements AutoCloseable {

	/** Long enough for what must not end. */
	static final long LONG_MILLIS = 30_000;

	/** Short, though longer than what counts as begun just now. */
	static final long SHORT_MILLIS = 300;

	private static final HttpClient HTTP = HttpClient.newHttpClient();

	private static final AtomicBoolean COLD = new AtomicBoolean(true);

	private final ConfigurableApplicationContext context;

	private final Calls calls;

	private final ManagedChannel channel;

	private App(ConfigurableApplicationContext context) {
		this.context = context;
		this.calls = context.getBean(Calls.class);
		this.channel = NettyChannelBuilder.forAddress("localhost", this.calls.port()).usePlaintext().build();
		warmUp();
	}

	static Setup of(Class<?>... configurations) {
		return new Setup(configurations);
	}

	/**
	 * The first calls of a JVM take seconds, and so may the first of an application.
	 */
	private void warmUp() {
		on("warm up", () -> "warm");
		call("warm up", LONG_MILLIS);
		if (COLD.compareAndSet(true, false)) {
			on("warm up late", () -> {
				untilTheEnd();
				return "late";
			});
			code("warm up late", SHORT_MILLIS);
			awaitIdle();
		}
	}

	<T> T bean(Class<T> type) {
		return this.context.getBean(type);
	}

	<T> T bean(String name, Class<T> type) {
		return this.context.getBean(name, type);
	}

	/**
	 * Ends the life of a bean that is not a singleton.
	 */
	void destroy(Object bean) {
		this.context.getAutowireCapableBeanFactory().destroyBean(bean);
	}

	/**
	 * Handles requests of a name.
	 */
	void on(String request, Callable<String> handler) {
		this.calls.on(request, handler);
	}

	/**
	 * Goes on with something when requests of a name were answered.
	 */
	void afterwards(String request, Runnable work) {
		this.calls.afterwards(request, work);
	}

	/**
	 * Waits in a handler for the end of its call.
	 */
	static void untilTheEnd() {
		Context call = Context.current();
		soon().until(call::isCancelled);
	}

	/**
	 * Waits for what is not long in coming.
	 */
	static ConditionFactory soon() {
		return await().pollDelay(0, TimeUnit.MILLISECONDS)
			.pollInterval(10, TimeUnit.MILLISECONDS)
			.atMost(20, TimeUnit.SECONDS);
	}

	String call(String request, long millis) {
		return call(Calls.DO, request, millis);
	}

	String call(MethodDescriptor<String, String> method, String request, long millis) {
		return ClientCalls.blockingUnaryCall(this.channel, method,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), request);
	}

	/**
	 * How a call ends.
	 */
	Status.Code code(String request, long millis) {
		return code(Calls.DO, request, millis);
	}

	Status.Code code(MethodDescriptor<String, String> method, String request, long millis) {
		Throwable thrown = catchThrowable(() -> call(method, request, millis));
		return (thrown != null) ? Status.fromThrowable(thrown).getCode() : Status.Code.OK;
	}

	/**
	 * Begins a call that its caller can cancel.
	 */
	ListenableFuture<String> begin(String request, long millis) {
		return ClientCalls.futureUnaryCall(
				this.channel.newCall(Calls.DO, CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS)),
				request);
	}

	/**
	 * Handlers that have not returned.
	 */
	int running() {
		return this.calls.running();
	}

	/**
	 * Waits until all handlers have returned.
	 */
	void awaitIdle() {
		soon().until(() -> running() == 0);
	}

	/**
	 * Sends a request over HTTP.
	 * @param budgetMillis what its header says
	 */
	HttpResponse<String> get(String path, long budgetMillis, String... headers) {
		HttpRequest.Builder request = request(path, budgetMillis);
		if (headers.length > 0) {
			request.headers(headers);
		}
		return send(request.build());
	}

	/**
	 * Sends a request with a body over HTTP.
	 * @param budgetMillis what its header says
	 */
	HttpResponse<String> post(String path, String body, long budgetMillis) {
		return send(request(path, budgetMillis).POST(HttpRequest.BodyPublishers.ofString(body)).build());
	}

	private HttpRequest.Builder request(String path, long budgetMillis) {
		return HttpRequest.newBuilder(URI.create(baseUrl() + path)).header("grpc-timeout", budgetMillis + "m");
	}

	private static HttpResponse<String> send(HttpRequest request) {
		try {
			return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private String baseUrl() {
		return "http://localhost:" + this.context.getEnvironment().getRequiredProperty("local.server.port");
	}

	/**
	 * What the endpoint says, as its readers get it.
	 */
	JsonNode endpoint() {
		return JsonMapper.builder()
			.findAndAddModules()
			.build()
			.valueToTree(bean(GrpcResilienceEndpoint.class).describe());
	}

	@Override
	public void close() {
		this.channel.shutdownNow();
		this.context.close();
	}

	/**
	 * What an application is made of.
	 */
	static final class Setup {

		private final List<Class<?>> sources = new ArrayList<>(List.of(Base.class));

		private final List<String> arguments = new ArrayList<>(
				List.of("--spring.application.name=app", "--spring.jmx.enabled=false", "--grpc.server.port=0",
						"--grpc.client.self.address=self:self", "--grpc.client.self.negotiation-type=plaintext",
						"--management.endpoints.web.exposure.include=grpcresilience"));

		private final List<Class<?>> autoConfigurations = new ArrayList<>();

		private WebApplicationType web = WebApplicationType.NONE;

		private Setup(Class<?>... configurations) {
			this.sources.addAll(Arrays.asList(configurations));
		}

		/**
		 * Auto-configures these as well.
		 */
		Setup auto(Class<?>... autoConfigurations) {
			this.autoConfigurations.addAll(Arrays.asList(autoConfigurations));
			return this;
		}

		Setup with(String... properties) {
			for (String property : properties) {
				this.arguments.add("--" + property);
			}
			return this;
		}

		/**
		 * Serves HTTP with Spring MVC as well.
		 */
		Setup mvc() {
			this.web = WebApplicationType.SERVLET;
			return with("server.port=0").auto(ServletWebServerFactoryAutoConfiguration.class,
					DispatcherServletAutoConfiguration.class, WebMvcAutoConfiguration.class,
					HttpMessageConvertersAutoConfiguration.class, ErrorMvcAutoConfiguration.class);
		}

		/**
		 * Serves HTTP with WebFlux as well.
		 */
		Setup webFlux() {
			this.web = WebApplicationType.REACTIVE;
			return with("server.port=0").auto(ReactiveWebServerFactoryAutoConfiguration.class,
					HttpHandlerAutoConfiguration.class, WebFluxAutoConfiguration.class,
					ErrorWebFluxAutoConfiguration.class);
		}

		App start() {
			with(ChosenAutoConfigurations.PROPERTY + "="
					+ this.autoConfigurations.stream().map(Class::getName).collect(Collectors.joining(",")));
			return new App(new SpringApplicationBuilder(this.sources.toArray(Class<?>[]::new)).web(this.web)
				.bannerMode(Banner.Mode.OFF)
				.registerShutdownHook(false)
				.run(this.arguments.toArray(String[]::new)));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Calls.class)
	static class Base {

	}

}
