package io.github.grpcresilience.error;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.StringValue;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class GrpcErrorsTests {

	private static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin",
			Metadata.BINARY_BYTE_MARSHALLER);

	private static final ErrorInfo INFO = ErrorInfo.newBuilder()
		.setReason("SKU_UNKNOWN")
		.setDomain("shop")
		.putMetadata("sku", "SKU-7")
		.build();

	private static StatusRuntimeException failure(byte[] details) {
		Metadata trailers = new Metadata();
		trailers.put(DETAILS, details);
		return Status.NOT_FOUND.withDescription("no such article").asRuntimeException(trailers);
	}

	private static StatusRuntimeException failure(int code, Message... details) {
		com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder().setCode(code);
		for (Message detail : details) {
			status.addDetails(Any.pack(detail));
		}
		return failure(status.build().toByteArray());
	}

	@Test
	void detailsComeOverTheWire() {
		try (Loopback loopback = new Loopback()) {
			Server server = loopback.servePlain(
					new Shop().unary((request, observer) -> observer.onError(failure(5, INFO, StringValue.of("own")))),
					(builder) -> {
					});
			Throwable thrown = catchThrowable(
					() -> Loopback.call(loopback.plainChannel(server), Loopback.within(20_000), "x"));
			GrpcErrors errors = GrpcErrors.from(new ExecutionException(new IllegalStateException(thrown)));
			assertThat(errors.code()).isEqualTo(Status.Code.NOT_FOUND);
			assertThat(errors.message()).isEqualTo("no such article");
			assertThat(errors.reason()).contains("SKU_UNKNOWN");
			assertThat(errors.domain()).contains("shop");
			assertThat(errors.metadata()).containsEntry("sku", "SKU-7");
			assertThat(errors.badRequest()).isEmpty();
			assertThat(errors.find(StringValue.class)).contains(StringValue.of("own"));
			assertThat(errors.otherDetails()).hasSize(1);
			assertThat(errors).hasToString("NOT_FOUND SKU_UNKNOWN");
		}
	}

	@Test
	void detailsCountWhateverCodeTheyRepeat() {
		GrpcErrors errors = GrpcErrors.from(failure(13, INFO, BadRequest.getDefaultInstance()));
		assertThat(errors.code()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(errors.reason()).contains("SKU_UNKNOWN");
		assertThat(errors.badRequest()).isPresent();
	}

	@Test
	void retryDelayIsADuration() {
		assertThat(GrpcErrors.from(failure(5, retryAfter(1, 5_000_000))).retryDelay())
			.contains(Duration.ofMillis(1_005));
		assertThat(GrpcErrors.from(failure(5, retryAfter(-1, 0))).retryDelay()).isEmpty();
		assertThat(GrpcErrors.from(failure(5, retryAfter(0, 1_000_000_000))).retryDelay()).isEmpty();
		assertThat(GrpcErrors.from(failure(5, retryAfter(Long.MAX_VALUE, 999_999_999))).retryDelay())
			.contains(Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
		assertThat(GrpcErrors.from(failure(5, RetryInfo.getDefaultInstance())).retryDelay()).isEmpty();
	}

	private static RetryInfo retryAfter(long seconds, int nanos) {
		return RetryInfo.newBuilder()
			.setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(seconds).setNanos(nanos))
			.build();
	}

	static Stream<StatusRuntimeException> unreadable() {
		byte[] good = com.google.rpc.Status.newBuilder().addDetails(Any.pack(INFO)).build().toByteArray();
		Any lie = Any.newBuilder()
			.setTypeUrl("type.googleapis.com/google.rpc.ErrorInfo")
			.setValue(ByteString.copyFromUtf8("\u00ff garbage"))
			.build();
		return Stream.of(failure(new byte[] { 127, 1, 99 }), failure(new byte[0]),
				failure(Arrays.copyOf(good, good.length - 3)), failure(new byte[10 * 1024 * 1024]),
				failure(com.google.rpc.Status.newBuilder().addDetails(lie).build().toByteArray()),
				Status.NOT_FOUND.asRuntimeException());
	}

	@ParameterizedTest
	@MethodSource
	void unreadable(StatusRuntimeException thrown) {
		GrpcErrors errors = GrpcErrors.from(thrown);
		assertThat(errors.code()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(errors.errorInfo()).isEmpty();
		assertThat(errors.reason()).isEmpty();
		assertThat(errors.metadata()).isEmpty();
		assertThat(errors.otherDetails()).isEmpty();
	}

	@Test
	void exceptionsWithoutStatusAreUnknown() {
		IllegalStateException loop = new IllegalStateException();
		loop.initCause(new IllegalArgumentException(loop));
		RuntimeException broken = new RuntimeException() {

			@Override
			public synchronized Throwable getCause() {
				throw new IllegalStateException("broken");
			}

			@Override
			public String getMessage() {
				throw new IllegalStateException("broken");
			}

		};
		assertThat(Stream.of(loop, broken, new Error()).map((thrown) -> GrpcErrors.from(thrown).code()))
			.containsOnly(Status.Code.UNKNOWN);
		assertThat(GrpcErrors.from(null).message()).isEmpty();
	}

}
