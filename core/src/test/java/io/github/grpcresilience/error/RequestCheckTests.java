package io.github.grpcresilience.error;

import java.io.InputStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;

class RequestCheckTests {

	private final Loopback loopback = new Loopback();

	private final AtomicInteger handled = new AtomicInteger();

	@AfterEach
	void close() {
		this.loopback.close();
	}

	static List<MethodDescriptor<String, String>> types() {
		return Calls.types();
	}

	private Ended call(GrpcResilienceBuilder builder, MethodDescriptor<String, String> method) {
		Shop shop = new Shop().unary((request, observer) -> {
			this.handled.incrementAndGet();
			Shop.echo(request, observer);
		}).serverStream((request, observer) -> {
			this.handled.incrementAndGet();
			Shop.echo(request, observer);
		}).clientStream(this::counting).bidi(this::counting);
		Channel channel = this.loopback.plainChannel(this.loopback.serve(this.loopback.resilience(builder), shop));
		return Calls.run(channel, method, CallOptions.DEFAULT);
	}

	private StreamObserver<String> counting(StreamObserver<String> observer) {
		StreamObserver<String> echo = Shop.echoAll(observer);
		return new StreamObserver<>() {

			@Override
			public void onNext(String value) {
				RequestCheckTests.this.handled.incrementAndGet();
				echo.onNext(value);
			}

			@Override
			public void onError(Throwable thrown) {
				// Told that it was cancelled, as it should be.
			}

			@Override
			public void onCompleted() {
				RequestCheckTests.this.handled.incrementAndGet();
				echo.onCompleted();
			}

		};
	}

	@ParameterizedTest
	@MethodSource("types")
	void handlerDoesNotSeeWhatIsWrong(MethodDescriptor<String, String> method) {
		Ended ended = call(GrpcResilience.builder()
			.requestCheck((request) -> GrpcError.answer(Status.Code.INVALID_ARGUMENT)
				.withViolation("text", "must not be " + request)), method);
		assertThat(ended.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		GrpcErrors errors = GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
		assertThat(errors.badRequest().get().getFieldViolations(0).getDescription()).isEqualTo("must not be x");
		assertThat(this.handled).hasValue(0);
	}

	@ParameterizedTest
	@MethodSource("types")
	void handlerSeesWhatIsRight(MethodDescriptor<String, String> method) {
		assertThat(call(GrpcResilience.builder().requestCheck((request) -> null), method).messages())
			.containsExactly("x");
		assertThat(this.handled).hasPositiveValue();
	}

	@ParameterizedTest
	@MethodSource("types")
	void brokenCheckIsNoFaultOfTheCaller(MethodDescriptor<String, String> method) {
		Ended ended = call(GrpcResilience.builder().requestCheck((request) -> {
			throw new IllegalStateException("secret");
		}), method);
		assertThat(ended.code()).isEqualTo(Status.Code.INTERNAL);
		assertThat(GrpcErrors.from(ended.status().asRuntimeException(ended.trailers())).reason()).hasValue("INTERNAL");
		assertThat(this.handled).hasValue(0);
	}

	@Test
	void observeChecksNothing() {
		assertThat(call(GrpcResilience.builder()
			.mode(Mode.OBSERVE)
			.requestCheck((request) -> GrpcError.answer(Status.Code.INVALID_ARGUMENT)), Shop.UNARY).code())
			.isEqualTo(Status.Code.OK);
	}

	@Test
	void ruleThatCannotBeCheckedIsFoundAtStart() {
		MethodDescriptor<String, String> method = MethodDescriptor.<String, String>newBuilder()
			.setType(MethodDescriptor.MethodType.UNARY)
			.setFullMethodName("test.v1.Typed/Get")
			.setRequestMarshaller(new Prototype())
			.setResponseMarshaller(new Prototype())
			.build();
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder().requestCheck(new RequestCheck() {

			@Override
			public GrpcError check(Object request) {
				return null;
			}

			@Override
			public void prepare(Object prototype) {
				throw new IllegalStateException("no rule of " + prototype);
			}

		}));
		this.loopback.serve(resilience,
				() -> ServerServiceDefinition.builder("test.v1.Typed")
					.addMethod(method, ServerCalls.asyncUnaryCall(Shop::echo))
					.build());
		assertThat(resilience.inspection().findings()).singleElement().satisfies((finding) -> {
			assertThat(finding.id()).isEqualTo("REQUEST_CHECK_BROKEN");
			assertThat(finding.severity()).isEqualTo(Finding.Severity.WARNING);
			assertThat(finding.message()).contains("no rule of prototype");
		});
	}

	private static final class Prototype implements MethodDescriptor.PrototypeMarshaller<String> {

		@Override
		public String getMessagePrototype() {
			return "prototype";
		}

		@Override
		public Class<String> getMessageClass() {
			return String.class;
		}

		@Override
		public InputStream stream(String value) {
			return InputStream.nullInputStream();
		}

		@Override
		public String parse(InputStream stream) {
			return "";
		}

	}

}
