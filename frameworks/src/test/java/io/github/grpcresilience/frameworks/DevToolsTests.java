package io.github.grpcresilience.frameworks;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.http.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.reactor.ReactorAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.DispatcherServletAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.WebMvcAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.error.ErrorMvcAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * Spring Boot's developer tools, which start an application again in its JVM: everything
 * works as before, and nothing of ours holds on to what was there.
 */
class DevToolsTests {

	private static final int RESTARTS = 2;

	private static final Path TOOLS = Path.of("target/devtools/spring-boot-devtools.jar");

	private final HttpClient http = HttpClient.newHttpClient();

	@TempDir
	private Path directory;

	private final int httpPort = freePort();

	private final int grpcPort = freePort();

	private static int freePort() {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Test
	void everythingWorksAfterRestartsAndNothingOfBeforeIsHeld() throws Exception {
		change(0);
		Process jvm = new ProcessBuilder(command()).redirectErrorStream(true)
			.redirectOutput(TOOLS.resolveSibling("log").toFile())
			.start();
		ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", this.grpcPort).usePlaintext().build();
		try {
			awaitStart(0);
			assertEverythingWorks(channel, 0);
			for (int generation = 1; generation <= RESTARTS; generation++) {
				change(generation);
				awaitStart(generation);
				assertEverythingWorks(channel, generation);
			}
			assertThat(get("/classes").body()).isEqualTo("RestartClassLoader AppClassLoader");
			App.soon().untilAsserted(() -> assertThat(get("/held").body()).isEqualTo("[]"));
		}
		finally {
			channel.shutdownNow();
			jvm.destroyForcibly().waitFor();
		}
	}

	private void assertEverythingWorks(ManagedChannel channel, int generation) throws Exception {
		Duration left = Duration.parse(call(channel, "budget"));
		assertThat(left).isLessThan(budget(generation)).isGreaterThan(budget(generation).minusSeconds(30));
		assertThat(Duration.parse(call(channel, "elsewhere"))).isLessThan(budget(generation));
		assertThat(statusOf(channel, "mapper", 30_000).getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
		assertThat(statusOf(channel, "advice", 30_000).getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
		for (String endless : new String[] { "query", "publisher" }) {
			assertThat(statusOf(channel, endless, App.SHORT_MILLIS).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		}
		App.soon().until(() -> call(channel, "running").equals("0"));
		assertThat(get("/call/mapper").statusCode()).isEqualTo(400);
		assertThat(get("/call/mapper").body()).contains("\"reason\":\"SOLD_OUT\"");
		assertThat(get("/call/query", "grpc-timeout", App.SHORT_MILLIS + "m").statusCode()).isEqualTo(504);
		App.soon().until(() -> call(channel, "running").equals("0"));
	}

	private static Duration budget(int generation) {
		return Duration.ofSeconds(100 + 100 * generation);
	}

	private Path classes() {
		return this.directory.resolve("classes");
	}

	/**
	 * What a developer does to a file of the application.
	 */
	private void change(int generation) throws IOException {
		Path written = this.directory.resolve("written");
		Files.writeString(written, "generation=" + generation + "\ngrpc.resilience.server.deadline.default="
				+ budget(generation).toSeconds() + "s\n");
		Files.move(written, Files.createDirectories(classes()).resolve("application.properties"),
				StandardCopyOption.ATOMIC_MOVE);
	}

	private void awaitStart(int generation) {
		App.soon()
			.atMost(2, TimeUnit.MINUTES)
			.ignoreExceptions()
			.until(() -> get("/generation").body().equals(generation + ""));
	}

	private List<String> command() {
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:SoftRefLRUPolicyMSPerMB=0", "-cp"));
		command.add(Stream.of(classes().toString(), System.getProperty("java.class.path"), TOOLS.toString())
			.collect(Collectors.joining(File.pathSeparator)));
		command.add(RestartedApplication.class.getName());
		command.addAll(List.of("--server.port=" + this.httpPort, "--grpc.server.port=" + this.grpcPort,
				"--grpc.client.self.address=static://localhost:" + this.grpcPort,
				"--grpc.client.self.negotiation-type=plaintext", "--spring.main.web-application-type=servlet",
				"--grpc.resilience.client.deadline.default=30s", "--spring.devtools.restart.poll-interval=200ms",
				"--spring.devtools.restart.quiet-period=100ms", "--spring.devtools.livereload.enabled=false",
				"--" + ChosenAutoConfigurations.PROPERTY + "=" + Stream
					.of(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
							DataSourceTransactionManagerAutoConfiguration.class, TaskExecutionAutoConfiguration.class,
							ReactorAutoConfiguration.class, ServletWebServerFactoryAutoConfiguration.class,
							DispatcherServletAutoConfiguration.class, WebMvcAutoConfiguration.class,
							HttpMessageConvertersAutoConfiguration.class, ErrorMvcAutoConfiguration.class)
					.map(Class::getName)
					.collect(Collectors.joining(","))
						+ ",org.springframework.boot.devtools.autoconfigure.LocalDevToolsAutoConfiguration"
						+ ",org.springframework.boot.devtools.autoconfigure.DevToolsDataSourceAutoConfiguration"));
		return command;
	}

	private HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
		HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:" + this.httpPort + path))
			.timeout(Duration.ofSeconds(30));
		if (headers.length > 0) {
			request.headers(headers);
		}
		return this.http.send(request.build(), HttpResponse.BodyHandlers.ofString());
	}

	private static String call(ManagedChannel channel, String request) {
		return ClientCalls.blockingUnaryCall(channel, Calls.DO, CallOptions.DEFAULT.withWaitForReady(), request);
	}

	private static Status statusOf(ManagedChannel channel, String request, long millis) {
		return Status.fromThrowable(catchThrowable(() -> ClientCalls.blockingUnaryCall(channel, Calls.DO,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), request)));
	}

}
