package io.github.grpcresilience.sample;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.Empty;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * Details that no gRPC server would send, from one that is none.
 */
@Tag("foreign")
class HostilePeerTests {

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private Process peer;

	private ManagedChannel channel;

	@BeforeEach
	void start() throws Exception {
		this.peer = new ProcessBuilder("node", Path.of("src/test/foreign/hostile.mjs").toString())
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		BufferedReader output = this.peer.inputReader(StandardCharsets.UTF_8);
		this.channel = ManagedChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(output.readLine()))
			.usePlaintext()
			.intercept(this.resilience.client("hostile"))
			.build();
	}

	@AfterEach
	void end() throws Exception {
		this.channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
		this.resilience.close();
		this.peer.getOutputStream().close();
		assertThat(this.peer.waitFor(10, TimeUnit.SECONDS)).isTrue();
	}

	@ParameterizedTest
	@CsvSource({ "Garbage, NOT_FOUND", "OtherCode, NOT_FOUND", "Truncated, NOT_FOUND", "Empty, NOT_FOUND",
			"Large, NOT_FOUND", "NotBase64, ", "Huge, " })
	void readingNeverThrows(String kind, Status.Code code) {
		MethodDescriptor<Empty, Empty> method = MethodDescriptor
			.newBuilder(ProtoUtils.marshaller(Empty.getDefaultInstance()),
					ProtoUtils.marshaller(Empty.getDefaultInstance()))
			.setType(MethodDescriptor.MethodType.UNARY)
			.setFullMethodName("hostile.v1.Peer/" + kind)
			.build();
		Throwable failure = catchThrowable(() -> ClientCalls.blockingUnaryCall(this.channel, method,
				CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS), Empty.getDefaultInstance()));
		GrpcErrors errors = GrpcErrors.from(failure);
		assertThat(errors.code()).isNotEqualTo(Status.Code.OK);
		if (code != null) {
			assertThat(errors.code()).isEqualTo(code);
		}
		assertThat(errors.reason()).isEmpty();
		assertThat(errors.retryDelay()).isEmpty();
		assertThat(errors.otherDetails()).isEmpty();
	}

}
