package io.github.grpcresilience.sample;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.Empty;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.Side;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What becomes of a call of at most three attempts, by what a server that is not Java
 * does.
 */
@Tag("foreign")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AttemptTableTests {

	private static final Metadata.Key<String> CALL_ID = Metadata.Key.of("call-id", Metadata.ASCII_STRING_MARSHALLER);

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private final Queue<String> seen = new ConcurrentLinkedQueue<>();

	private final GrpcResilience resilience = GrpcResilience.builder().policies(policies()).build();

	private Process peer;

	private ManagedChannel channel;

	private static PolicyDefinition policies() {
		Map<SettingKey<?>, Setting<?>> settings = new HashMap<>();
		put(settings, AttemptSettings.IDEMPOTENT, true);
		put(settings, AttemptSettings.RETRY_MAX_ATTEMPTS, 3);
		put(settings, AttemptSettings.RETRYABLE_STATUS_CODES, Set.of(Status.Code.UNAVAILABLE));
		put(settings, AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(20));
		Map<SettingKey<?>, Setting<?>> timed = new HashMap<>(settings);
		put(timed, AttemptSettings.ATTEMPT_TIMEOUT, Duration.ofMillis(250));
		List<String> kinds = List.of("FailOnce", "FailTwice", "FailAlways", "HeadersThenFail", "MessageThenLost",
				"PushBack300", "PushBackMinus1", "PushBackGarbage", "PushBackHuge", "RetryInfo1s", "RefusedStream",
				"GarbageMessage", "NoMessage", "Http503");
		return new PolicyDefinition(Side.CLIENT, "test", Map.of(AttemptSettings.BUDGET_MIN_PER_SECOND, setting(100.0)),
				List.of(layer("kinds", kinds, settings), layer("silent", List.of("Silent/UNARY",
						"Silent/SERVER_STREAMING", "SilentOnce/UNARY", "SilentOnce/SERVER_STREAMING"), timed)),
				List.of(), List.of());
	}

	private static <T> void put(Map<SettingKey<?>, Setting<?>> settings, SettingKey<T> key, T value) {
		settings.put(key, setting(value));
	}

	private static <T> Setting<T> setting(T value) {
		return new Setting<>(value, new Origin("test", "test"));
	}

	private static PolicyLayer layer(String name, List<String> kinds, Map<SettingKey<?>, Setting<?>> settings) {
		return new PolicyLayer(setting(name), kinds.stream().map((kind) -> setting("peer.v1." + kind)).toList(),
				List.of(), settings);
	}

	@BeforeAll
	void start() throws Exception {
		this.peer = new ProcessBuilder("node", Path.of("src/test/foreign/attempts.mjs").toString())
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		BufferedReader output = this.peer.inputReader(StandardCharsets.UTF_8);
		int port = Integer.parseInt(output.readLine());
		Thread reader = new Thread(() -> output.lines().forEach(this.seen::add), "peer");
		reader.setDaemon(true);
		reader.start();
		this.channel = ManagedChannelBuilder.forAddress("127.0.0.1", port)
			.usePlaintext()
			.intercept(this.resilience.client("peer"))
			.build();
		call("FailOnce", MethodType.UNARY, "warm", 10_000);
	}

	@AfterAll
	void end() throws Exception {
		this.channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
		this.resilience.close();
		this.peer.getOutputStream().close();
		assertThat(this.peer.waitFor(10, TimeUnit.SECONDS)).isTrue();
	}

	/** In the columns: the attempts that the server saw, and how the call ended. */
	@ParameterizedTest
	@CsvSource(textBlock = """
			# kind,           budget,  unary: ends with,    previous,  stream: ends with,   previous
			FailOnce,         10000,   OK,                  - 1,       OK,                  - 1
			FailTwice,        10000,   OK,                  - 1 2,     OK,                  - 1 2
			FailAlways,       10000,   UNAVAILABLE,         - 1 2,     UNAVAILABLE,         - 1 2
			HeadersThenFail,  10000,   OK,                  - 1,       UNAVAILABLE,         -
			MessageThenLost,  10000,   OK,                  - 1,       UNAVAILABLE,         -
			PushBack300,      10000,   OK,                  - 1,       OK,                  - 1
			PushBack300,      200,     UNAVAILABLE,         -,         UNAVAILABLE,         -
			PushBackMinus1,   10000,   UNAVAILABLE,         -,         UNAVAILABLE,         -
			PushBackGarbage,  10000,   UNAVAILABLE,         -,         UNAVAILABLE,         -
			PushBackHuge,     10000,   UNAVAILABLE,         -,         UNAVAILABLE,         -
			RetryInfo1s,      10000,   OK,                  - 1,       OK,                  - 1
			RetryInfo1s,      700,     UNAVAILABLE,         -,         UNAVAILABLE,         -
			RefusedStream,    10000,   OK,                  - -,       OK,                  - -
			SilentOnce,       10000,   OK,                  - 1,       OK,                  - 1
			Silent,           10000,   DEADLINE_EXCEEDED,   - 1 2,     DEADLINE_EXCEEDED,   - 1 2
			GarbageMessage,   10000,   CANCELLED,           -,         CANCELLED,           -
			NoMessage,        10000,   OK,                  -,         OK,                  -
			Http503,          10000,   UNAVAILABLE,         - 1 2,     UNAVAILABLE,         - 1 2
			""")
	void callEndsAsTheTableSays(String kind, long budget, Status.Code unary, String unaryPrevious, Status.Code stream,
			String streamPrevious) {
		check(kind, MethodType.UNARY, budget, unary, unaryPrevious);
		check(kind, MethodType.SERVER_STREAMING, budget, stream, streamPrevious);
	}

	private void check(String kind, MethodType type, long budget, Status.Code code, String previous) {
		String id = kind + type + budget;
		Ended ended = call(kind, type, id, budget);
		assertThat(ended.status().getCode()).as("%s: %s", id, ended.status()).isEqualTo(code);
		// The server's output comes by another way than its answers.
		await().untilAsserted(() -> assertThat(previousOf(id)).as(id).isEqualTo(previous));
		boolean ends = code != Status.Code.OK && (previous.equals("- 1 2") || kind.matches("PushBack[MGH].*"));
		assertThat(ended.trailers().get(PUSH_BACK)).as(id)
			.isEqualTo(ends ? "-1" : (kind.equals("PushBack300") && code != Status.Code.OK) ? "300" : null);
	}

	private String previousOf(String id) {
		return String.join(" ",
				this.seen.stream()
					.filter((line) -> line.startsWith(id + " "))
					.map((line) -> line.substring(line.indexOf(" ") + 1))
					.toList());
	}

	private Ended call(String kind, MethodType type, String id, long budget) {
		MethodDescriptor<Empty, Empty> method = MethodDescriptor
			.newBuilder(ProtoUtils.marshaller(Empty.getDefaultInstance()),
					ProtoUtils.marshaller(Empty.getDefaultInstance()))
			.setType(type)
			.setFullMethodName("peer.v1." + kind + "/" + type)
			.build();
		CompletableFuture<Ended> ended = new CompletableFuture<>();
		ClientCall<Empty, Empty> call = this.channel.newCall(method,
				CallOptions.DEFAULT.withDeadlineAfter(budget, TimeUnit.MILLISECONDS));
		Metadata headers = new Metadata();
		headers.put(CALL_ID, id);
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				ended.complete(new Ended(status, trailers));
			}

		}, headers);
		call.request(2);
		call.sendMessage(Empty.getDefaultInstance());
		call.halfClose();
		return ended.orTimeout(20, TimeUnit.SECONDS).join();
	}

	private record Ended(Status status, Metadata trailers) {
	}

}
