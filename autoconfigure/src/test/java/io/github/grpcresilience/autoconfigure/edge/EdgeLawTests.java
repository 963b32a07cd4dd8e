package io.github.grpcresilience.autoconfigure.edge;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.grpc.Channel;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.search.MeterNotFoundException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.boot.web.embedded.netty.NettyReactiveWebServerFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.io.DefaultResourceLoader;
import org.springframework.http.HttpHeaders;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebExceptionHandler;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What the edge leaves as it is in an application that has said nothing of it, and what
 * it changes in one that has.
 */
@ExtendWith(OutputCaptureExtension.class)
class EdgeLawTests {

	private static final Map<Stack, ConfigurableApplicationContext> running = new EnumMap<>(Stack.class);

	private final HttpClient client = HttpClient.newBuilder().version(Version.HTTP_1_1).build();

	@AfterAll
	static void stop() {
		running.values().forEach(ConfigurableApplicationContext::close);
		running.clear();
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void requestHasNoBudgetUnlessItBringsOneAlong(Stack stack) throws Exception {
		assertThat(get(stack, "/left").body()).isEqualTo("none");
		assertThat(Long.parseLong(get(stack, "/left", "grpc-timeout", "7S").body())).isBetween(1L, 7_000L);
		assertThat(Long.parseLong(get(stack, "/left", "X-Envoy-Expected-Rq-Timeout-Ms", "5300").body())).isBetween(1L,
				5_300L);
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void malformedBudgetIsIgnoredAndFound(Stack stack) throws Exception {
		HttpResponse<String> response = get(stack, "/left", "grpc-timeout", "soon");
		assertThat(response.statusCode()).isEqualTo(200);
		assertThat(response.body()).isEqualTo("none");
		assertThat(find(stack, "BUDGET_IGNORED").message()).startsWith("1 HTTP request");
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC_CONFIGURED", "WEBFLUX_CONFIGURED" })
	void malformedBudgetIsRefusedWhereTheEdgeIsConfigured(Stack stack) throws Exception {
		assertThat(get(stack, "/left", "grpc-timeout", "soon").statusCode()).isEqualTo(400);
	}

	@ParameterizedTest
	@EnumSource
	void budgetOfZeroIsAnsweredAtOnce(Stack stack) throws Exception {
		assertThat(get(stack, "/left", "grpc-timeout", "0m").statusCode()).isEqualTo(504);
	}

	@ParameterizedTest
	@EnumSource
	void callsOfGrpcAreNotTouched(Stack stack) throws Exception {
		for (String type : List.of("application/grpc", "application/grpc+proto", "application/grpc-web")) {
			HttpRequest request = request(stack, "/left").header("Content-Type", type)
				.header("grpc-timeout", "0m")
				.POST(HttpRequest.BodyPublishers.ofString("x"))
				.build();
			HttpResponse<String> response = this.client.send(request, BodyHandlers.ofString());
			assertThat(response.statusCode()).as(type).isEqualTo(200);
			assertThat(response.body()).isEqualTo("none");
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void callWithoutAnyBudgetSuggestsADefault(Stack stack) throws Exception {
		get(stack, "/call/budget");
		Finding finding = find(stack, "EDGE_WITHOUT_BUDGET");
		assertThat(finding.subject()).isEqualTo("grpc.resilience.edge.default-budget");
		assertThat(finding.message()).contains("test.v1.Backend/Do");
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC_CONFIGURED", "WEBFLUX_CONFIGURED" })
	void nothingIsSuggestedWhereThereIsADefault(Stack stack) throws Exception {
		get(stack, "/call/budget", "Accept", "text/event-stream, */*");
		get(stack, "/exempt/budget");
		assertThat(context(stack).getBean(GrpcResilience.class).inspection().findings()).extracting(Finding::id)
			.doesNotContain("EDGE_WITHOUT_BUDGET");
	}

	@ParameterizedTest
	@EnumSource
	void budgetThatEndsAResponseInTheMiddleSaysSo(Stack stack, CapturedOutput output) throws Exception {
		HttpRequest.Builder request = request(stack, "/endless");
		if (!stack.configured) {
			request.header("grpc-timeout", "713m");
		}
		HttpResponse<InputStream> response = this.client.send(request.build(), BodyHandlers.ofInputStream());
		assertThat(response.statusCode()).isEqualTo(200);
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> response.body().readAllBytes());
		await().until(() -> output.getAll().contains("ended in the middle of its response"));
		assertThat(output.getAll()).contains("The budget of GET /endless, "
				+ (stack.configured ? "1s from grpc.resilience.edge.default-budget" : "713ms from header grpc-timeout"),
				"grpc.resilience.edge.exempt-paths");
	}

	@ParameterizedTest
	@EnumSource
	void budgetThatIsNotUsedUpSaysNothing(Stack stack, CapturedOutput output) throws Exception {
		get(stack, "/call/budget", "grpc-timeout", "20S");
		get(stack, "/call/hold", "grpc-timeout", "97m");
		assertThat(output.getAll()).doesNotContain("in the middle");
	}

	@ParameterizedTest
	@ValueSource(strings = { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html",
			"text/html;charset=utf-8", "text/*", "text/html, application/json",
			"application/json;q=0.4, text/html;q=0.7", "TEXT/HTML, */*" })
	void browsersGetTheErrorPage(String accept) throws Exception {
		for (Stack stack : List.of(Stack.MVC, Stack.WEBFLUX)) {
			HttpResponse<String> missing = get(stack, "/call/fail:NOT_FOUND", "Accept", accept);
			assertThat(missing.statusCode()).as("%s %s", stack, accept).isEqualTo(404);
			assertThat(missing.body()).as("%s %s", stack, accept).contains("page 404");
			assertThat(EdgeContract.type(missing)).startsWith("text/html");
			HttpResponse<String> down = get(stack, "/call/fail:UNAVAILABLE", "Accept", accept);
			assertThat(down.statusCode()).as("%s %s", stack, accept).isEqualTo(503);
			assertThat(down.body()).as("%s %s", stack, accept).contains("page 5xx");
			HttpResponse<String> refused = get(stack, "/left", "Accept", accept, "grpc-timeout", "0m");
			assertThat(refused.statusCode()).isEqualTo(504);
			assertThat(refused.body()).contains("page 5xx");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "*/*", "application/json", "application/problem+json", "application/*",
			"application/json, text/plain, */*", "application/json, text/html", "text/html;q=0.3, application/json",
			"text/html;q=0, */*", "text/plain", "application/xml", "application/vnd.shop.v1+json",
			"image/avif,image/webp,image/*,*/*;q=0.8", "image/png", "text/event-stream", "nonsense", "text/html;q=x",
			"*/json" })
	void allOthersGetTheProblem(String accept) throws Exception {
		for (Stack stack : List.of(Stack.MVC, Stack.WEBFLUX)) {
			String[] headers = accept.isEmpty() ? new String[0] : new String[] { "Accept", accept };
			HttpResponse<String> missing = get(stack, "/call/fail:NOT_FOUND", headers);
			assertThat(missing.statusCode()).as("%s %s", stack, accept).isEqualTo(404);
			assertThat(EdgeContract.type(missing)).as("%s %s", stack, accept).isEqualTo("application/problem+json");
			assertThat(missing.body()).contains("\"code\":\"NOT_FOUND\"", "\"detail\":\"told to\"");
			HttpResponse<String> down = get(stack, "/call/fail:UNAVAILABLE", headers);
			assertThat(down.statusCode()).as("%s %s", stack, accept).isEqualTo(503);
			assertThat(down.body()).contains("\"code\":\"UNAVAILABLE\"");
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void viewsAndStreamsFailAlike(Stack stack) throws Exception {
		for (String path : List.of("/view/fail:NOT_FOUND", "/async/fail:NOT_FOUND")) {
			HttpResponse<String> page = get(stack, path, "Accept", "text/html,*/*;q=0.8");
			assertThat(page.statusCode()).as(path).isEqualTo(404);
			assertThat(page.body()).as(path).contains("page 404");
			HttpResponse<String> problem = get(stack, path, "Accept", "application/json");
			assertThat(problem.statusCode()).as(path).isEqualTo(404);
			assertThat(EdgeContract.type(problem)).as(path).isEqualTo("application/problem+json");
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void answerSaysNothingOfTheContentThatWasMeant(Stack stack) throws Exception {
		HttpResponse<String> response = get(stack, "/begun");
		assertThat(response.statusCode()).isEqualTo(404);
		assertThat(response.headers().map().keySet()).doesNotContain("Content-Disposition", "content-disposition",
				"Content-Encoding", "content-encoding", "ETag", "etag");
		assertThat(response.headers().firstValue("X-Own")).hasValue("stays");
		assertThat(response.headers().firstValueAsLong("Content-Length")).hasValue(response.body().length());
	}

	@ParameterizedTest
	@CsvSource({ "UNAVAILABLE, 503", "UNKNOWN, 500", "INTERNAL, 500", "DATA_LOSS, 500", "UNIMPLEMENTED, 501",
			"DEADLINE_EXCEEDED, 504" })
	void failureOfAServerIsToldOnceAndObserved(String code, int status, CapturedOutput output) throws Exception {
		for (Stack stack : List.of(Stack.MVC, Stack.WEBFLUX)) {
			for (String path : List.of("/call/fail:" + code, "/async/fail:" + code)) {
				Trackers trackers = context(stack).getBean(Trackers.class);
				trackers.seen.clear();
				HttpResponse<String> response = get(stack, path);
				assertThat(response.statusCode()).isEqualTo(status);
				Matcher id = Pattern.compile("\"requestId\":\"([0-9a-f]{32})\"").matcher(response.body());
				assertThat(id.find()).as("id in %s", response.body()).isTrue();
				assertThat(output.getAll().lines().filter((line) -> line.contains(id.group(1))))
					.as("%s %s", stack, path)
					.singleElement()
					.asString()
					.contains("GET " + path + " was answered " + status + ": " + code + " from test.v1.Backend/Do");
				assertThat(trackers.seen).as("%s %s", stack, path).hasAtLeastOneElementOfType(Throwable.class);
				assertTimer(stack, path, status, "StatusRuntimeException");
			}
		}
		assertThat(output.getAll()).doesNotContain("Servlet.service()", "Server Error for HTTP");
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void pageForAServersFailureIsToldOnce(Stack stack, CapturedOutput output) throws Exception {
		for (String code : List.of("UNAVAILABLE", "UNKNOWN")) {
			get(stack, "/call/fail:" + code, "Accept", "text/html");
			assertThat(
					output.getAll().lines().filter((line) -> line.contains(" ERROR ") && line.contains("fail:" + code)))
				.as(code)
				.hasSize(1);
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "MVC", "WEBFLUX" })
	void failureOfTheRequestIsQuiet(Stack stack, CapturedOutput output) throws Exception {
		assertThat(get(stack, "/call/fail:NOT_FOUND").body()).doesNotContain("requestId");
		assertThat(output.getAll()).doesNotContain("NOT_FOUND", " ERROR ", " WARN ");
	}

	private static void assertTimer(Stack stack, String path, int status, String exception) {
		String pattern = path.substring(0, path.indexOf('/', 1)) + "/{what}";
		// It is recorded after the answer.
		await().ignoreException(MeterNotFoundException.class)
			.untilAsserted(() -> assertThat(context(stack).getBean(MeterRegistry.class)
				.get("http.server.requests")
				.tags("uri", pattern, "status", String.valueOf(status), "exception", exception, "error", exception)
				.timer()
				.count()).isPositive());
	}

	private static Finding find(Stack stack, String id) {
		return context(stack).getBean(GrpcResilience.class)
			.inspection()
			.findings()
			.stream()
			.filter((finding) -> finding.id().equals(id))
			.findFirst()
			.orElseThrow();
	}

	private HttpResponse<String> get(Stack stack, String path, String... headers) throws Exception {
		HttpRequest.Builder request = request(stack, path);
		if (headers.length > 0) {
			request.headers(headers);
		}
		return this.client.send(request.build(), BodyHandlers.ofString());
	}

	private static HttpRequest.Builder request(Stack stack, String path) {
		int port = ((WebServerApplicationContext) context(stack)).getWebServer().getPort();
		return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(Duration.ofSeconds(30));
	}

	private static ConfigurableApplicationContext context(Stack stack) {
		return running.computeIfAbsent(stack, Stack::start);
	}

	/**
	 * A web framework, and whether the application has configured its edge.
	 */
	enum Stack {

		MVC("servlet", false), WEBFLUX("reactive", false), MVC_CONFIGURED("servlet", true),
		WEBFLUX_CONFIGURED("reactive", true);

		private final String type;

		private final boolean configured;

		Stack(String type, boolean configured) {
			this.type = type;
			this.configured = configured;
		}

		private ConfigurableApplicationContext start() {
			// Else pages are looked for with the class loader of whatever thread a call
			// of
			// gRPC ends on, which may be that of a test before.
			SpringApplicationBuilder application = new SpringApplicationBuilder(Application.class)
				.resourceLoader(new DefaultResourceLoader(EdgeLawTests.class.getClassLoader()))
				.properties(EdgeBackend.connection())
				.properties("spring.main.web-application-type=" + this.type, "server.port=0",
						"spring.jmx.enabled=false", "grpc.resilience.client.deadline.default=20s",
						"spring.web.resources.static-locations=classpath:/edge-pages/");
			if (this.configured) {
				application.properties("grpc.resilience.edge.default-budget=1s",
						"grpc.resilience.edge.exempt-paths=/exempt/**");
			}
			return application.run();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import({ EdgeBackend.class, Trackers.class, Controller.class, ViewController.class, MvcController.class,
			WebFluxController.class })
	static class Application {

		/** Otherwise it would be Tomcat, which is on the class path too. */
		@Bean
		@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
		NettyReactiveWebServerFactory server() {
			return new NettyReactiveWebServerFactory();
		}

	}

	@RestController
	static class Controller {

		@GrpcClient("backend")
		private Channel channel;

		@RequestMapping("/left")
		String left() {
			return Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none");
		}

		@GetMapping({ "/call/{what}", "/exempt/{what}" })
		String call(@PathVariable String what) {
			return EdgeBackend.call(this.channel, what);
		}

	}

	/** As those who collect errors do, in either framework. */
	static class Trackers {

		private final Queue<Throwable> seen = new ConcurrentLinkedQueue<>();

		@Bean
		@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
		HandlerExceptionResolver lowest() {
			return new LowestResolver(this.seen);
		}

		@Bean
		@Order(-2)
		@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
		WebExceptionHandler beforeSpringBoot() {
			return (exchange, thrown) -> {
				this.seen.add(thrown);
				return Mono.error(thrown);
			};
		}

	}

	private record LowestResolver(Queue<Throwable> seen) implements HandlerExceptionResolver, Ordered {

		@Override
		public int getOrder() {
			return Ordered.LOWEST_PRECEDENCE;
		}

		@Override
		public ModelAndView resolveException(HttpServletRequest request, HttpServletResponse response, Object handler,
				Exception thrown) {
			this.seen.add(thrown);
			return null;
		}

	}

	@org.springframework.stereotype.Controller
	static class ViewController {

		@GrpcClient("backend")
		private Channel channel;

		@GetMapping("/view/{what}")
		String view(@PathVariable String what) {
			return "view-" + EdgeBackend.call(this.channel, what);
		}

	}

	@RestController
	@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
	static class MvcController {

		@GrpcClient("backend")
		private Channel channel;

		@GetMapping("/endless")
		StreamingResponseBody endless() {
			return (body) -> {
				body.write("begun".getBytes(StandardCharsets.UTF_8));
				body.flush();
				EdgeBackend.call(this.channel, "hold");
			};
		}

		@GetMapping("/async/{what}")
		Callable<String> async(@PathVariable String what) {
			return () -> EdgeBackend.call(this.channel, what);
		}

		@GetMapping("/begun")
		void begun(HttpServletResponse response) throws IOException {
			response.setHeader("Content-Disposition", "attachment; filename=a.csv");
			response.setHeader("Content-Encoding", "gzip");
			response.setHeader("ETag", "\"7\"");
			response.setHeader("X-Own", "stays");
			response.getWriter().write("begun");
			EdgeBackend.call(this.channel, "fail:NOT_FOUND");
		}

	}

	@RestController
	@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
	static class WebFluxController {

		@GrpcClient("backend")
		private Channel channel;

		@GetMapping("/async/{what}")
		Mono<String> async(@PathVariable String what) {
			return Mono.fromCallable(() -> EdgeBackend.call(this.channel, what))
				.subscribeOn(Schedulers.boundedElastic());
		}

		@GetMapping("/begun")
		Mono<Void> begun(ServerWebExchange exchange) {
			HttpHeaders headers = exchange.getResponse().getHeaders();
			headers.set("Content-Disposition", "attachment; filename=a.csv");
			headers.set("Content-Encoding", "gzip");
			headers.set("ETag", "\"7\"");
			headers.set("X-Own", "stays");
			return async("fail:NOT_FOUND").then();
		}

		@GetMapping("/endless")
		Flux<String> endless() {
			return Flux.concat(Flux.just("begun"), Flux.never());
		}

	}

}
