package io.github.grpcresilience.sample;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.GrpcError;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a client that is not Java sees of each kind of exception, wherever it is thrown.
 */
@Tag("foreign")
class ErrorTableTests {

	private static final Path FOREIGN = Path.of("src/test/foreign");

	private static final String SECRET = "jdbc:secret/7";

	private static final Map<String, Supplier<RuntimeException>> KINDS = Map.of("rich",
			() -> GrpcError.of(Status.Code.NOT_FOUND).reason("SKU_UNKNOWN").message("no such article: 100 % über"),
			"mapped", () -> new UnsupportedOperationException(SECRET), "unknown",
			() -> new IllegalStateException(SECRET), "large",
			() -> GrpcError.of(Status.Code.ABORTED)
				.reason("LARGE")
				.message("語".repeat(9_000))
				.with("large", "x".repeat(20_000)));

	@Test
	void clientInAnotherLanguageSeesWhatIsMeant() throws Exception {
		try (GrpcResilience resilience = resilience()) {
			ServerBuilder<?> builder = ServerBuilder.forPort(0).addService(service());
			builder.intercept(new Throwing());
			resilience.protect(builder);
			Server server = builder.build().start();
			try {
				List<String> requests = Stream.of("throw", "onError", "async", "interceptor", "after")
					.flatMap((position) -> KINDS.keySet().stream().sorted().map((kind) -> position + " " + kind))
					.toList();
				List<String> command = new ArrayList<>(
						List.of("node", FOREIGN.resolve("errors.mjs").toString(), String.valueOf(server.getPort())));
				command.addAll(requests);
				JsonNode table = ForeignTool.runForJson(FOREIGN.resolve("node_modules/@grpc/grpc-js"),
						command.toArray(String[]::new));
				assertThat(table).hasSize(2 * requests.size() - KINDS.size());
				table.forEach(ErrorTableTests::check);
			}
			finally {
				server.shutdownNow().awaitTermination();
			}
		}
	}

	private static void check(JsonNode row) {
		String request = row.path("request").asText();
		String kind = request.substring(request.indexOf(' ') + 1);
		String reason = row.path("errorInfo").path("reason").asText();
		assertThat(row.path("messages").asInt()).as(request).isEqualTo(request.startsWith("after") ? 1 : 0);
		assertThat(row.toString()).doesNotContain("secret", "Exception");
		switch (kind) {
			case "rich" -> {
				assertThat(row.path("code").asInt()).as(request).isEqualTo(5);
				assertThat(reason).isEqualTo("SKU_UNKNOWN");
				assertThat(row.path("message").asText()).isEqualTo("no such article: 100 % über");
			}
			case "mapped" -> {
				assertThat(row.path("code").asInt()).as(request).isEqualTo(9);
				assertThat(reason).isEqualTo("NOT_YET");
				assertThat(row.path("errorInfo").path("domain").asText()).isEqualTo("shop");
			}
			case "large" -> {
				assertThat(row.path("code").asInt()).as(request).isEqualTo(10);
				assertThat(reason).isEqualTo("LARGE");
				assertThat(row.path("message").asText()).isEqualTo("語".repeat(170));
			}
			default -> {
				assertThat(row.path("code").asInt()).as(request).isEqualTo(13);
				assertThat(reason).isEqualTo("INTERNAL");
				assertThat(row.path("errorInfo").path("domain").asText()).isEqualTo("grpc-resilience");
				assertThat(row.path("message").asText())
					.endsWith(row.path("requestInfo").path("requestId").asText("missing"));
			}
		}
	}

	private static GrpcResilience resilience() {
		return GrpcResilience.builder()
			.errors(new ErrorSettings("shop", ErrorSettings.DEFAULT_DETAILS_BYTES, false))
			.errorMappers(() -> List.of(ErrorMapper.of(UnsupportedOperationException.class,
					(ex) -> GrpcError.answer(Status.Code.FAILED_PRECONDITION).reason("NOT_YET"))), List::of)
			.build();
	}

	private static ServerServiceDefinition service() {
		return ServerServiceDefinition.builder("test.v1.Failing")
			.addMethod(method("Unary", MethodType.UNARY), ServerCalls.asyncUnaryCall(ErrorTableTests::fail))
			.addMethod(method("Stream", MethodType.SERVER_STREAMING),
					ServerCalls.asyncServerStreamingCall(ErrorTableTests::fail))
			.build();
	}

	private static void fail(String request, StreamObserver<String> observer) {
		RuntimeException thrown = thrown(request);
		switch (request.substring(0, request.indexOf(' '))) {
			case "onError" -> observer.onError(thrown);
			case "async" -> CompletableFuture.runAsync(() -> observer.onError(thrown)).join();
			case "after" -> {
				observer.onNext("first");
				throw thrown;
			}
			default -> throw thrown;
		}
	}

	private static RuntimeException thrown(String request) {
		return KINDS.get(request.substring(request.indexOf(' ') + 1)).get();
	}

	private static MethodDescriptor<String, String> method(String name, MethodType type) {
		return MethodDescriptor.newBuilder(new Text(), new Text())
			.setType(type)
			.setFullMethodName("test.v1.Failing/" + name)
			.build();
	}

	/** Throws in a callback, before the handler sees the message. */
	private static final class Throwing implements ServerInterceptor {

		@Override
		public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
				ServerCallHandler<ReqT, RespT> next) {
			ServerCall.Listener<ReqT> listener = next.startCall(call, headers);
			return new SimpleForwardingServerCallListener<>(listener) {

				@Override
				public void onMessage(ReqT message) {
					if (message instanceof String request && request.startsWith("interceptor")) {
						throw thrown(request);
					}
					super.onMessage(message);
				}

			};
		}

	}

	private static final class Text implements MethodDescriptor.Marshaller<String> {

		@Override
		public InputStream stream(String value) {
			return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
		}

		@Override
		public String parse(InputStream stream) {
			try {
				return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

}
