package io.github.grpcresilience.stacks;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * The edge of Spring WebFlux, and WebClient in a call.
 */
@TestInstance(Lifecycle.PER_CLASS)
class ReactiveTests {

	private final HttpClient http = HttpClient.newHttpClient();

	private ConfigurableApplicationContext application;

	private ManagedChannel channel;

	@BeforeAll
	void start() {
		this.application = new SpringApplicationBuilder(Reactive.class).web(WebApplicationType.REACTIVE)
			.properties("server.port=0", "server.shutdown=immediate", Stack.SERVER_PORT + "=0",
					"spring.jmx.enabled=false", Stack.WITHOUT_DATABASE)
			.run();
		this.channel = Grpc
			.newChannelBuilderForAddress("localhost", this.application.getBean(ServerPort.class).port(),
					InsecureChannelCredentials.create())
			.build();
	}

	@AfterAll
	void stop() {
		this.channel.shutdownNow();
		this.application.close();
	}

	@Test
	void edgeGivesTheRequestItsBudget() throws Exception {
		assertThat(Long.parseLong(get("/shelf/remaining", "2S").body())).isBetween(1L, 2_000L);
	}

	@Test
	void edgeAnswersFailuresWithAProblemAndNothingOfWhatFailed() throws Exception {
		HttpResponse<String> response = get("/shelf/fail", "20S");
		assertThat(response.statusCode()).isEqualTo(404);
		assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
		assertThat(response.body()).contains("\"detail\":\"no such article\"");
		assertThat(response.headers().map()).doesNotContainKeys("etag", "last-modified");
	}

	@Test
	void edgeEndsWhatTakesTooLong() throws Exception {
		HttpResponse<String> response = get("/shelf/wait", "234m");
		assertThat(response.statusCode()).isEqualTo(504);
		assertThat(response.body()).contains("\"reason\":\"DEADLINE_EXCEEDED\"");
	}

	@Test
	void requestOfAWebClientEndsWithItsCall() {
		call("remaining", 20_000); // the first one takes its time
		GrpcErrors errors = GrpcErrors.from(catchThrowable(() -> call("wait", 567)));
		assertThat(errors.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		await().untilAsserted(() -> assertThat(this.application.getBean(GrpcResilience.class)
			.inspection()
			.stoppedWork()
			.sums(Work.SUBSCRIPTION)
			.cancelled()).isPositive());
	}

	private String call(String path, long millis) {
		return ClientCalls.blockingUnaryCall(this.channel, Shop.WORK,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), path);
	}

	private HttpResponse<String> get(String path, String budget) throws IOException, InterruptedException {
		String port = this.application.getEnvironment().getProperty("local.server.port");
		HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
			.header("grpc-timeout", budget)
			.build();
		return this.http.send(request, HttpResponse.BodyHandlers.ofString());
	}

}
