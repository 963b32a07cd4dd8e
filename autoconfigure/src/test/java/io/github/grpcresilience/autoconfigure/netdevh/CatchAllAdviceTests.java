package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.concurrent.TimeUnit;

import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.advice.GrpcAdvice;
import net.devh.boot.grpc.server.advice.GrpcExceptionHandler;
import net.devh.boot.grpc.server.service.GrpcService;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Bean;
import org.springframework.test.annotation.DirtiesContext;

import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.error.InvalidRequest;
import io.github.grpcresilience.error.RequestCheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * A {@code @GrpcAdvice} for every exception answers what handlers throw, and nothing that
 * was refused before there was a handler.
 */
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.NONE,
		properties = { "grpc.server.port=-1", "grpc.server.in-process-name=catch-all",
				"grpc.client.self.address=in-process:catch-all", "grpc.resilience.client.deadline.missing=allow",
				"grpc.resilience.server.policies.strict.methods=test.v1.Strict",
				"grpc.resilience.server.policies.strict.deadline.missing=reject",
				"grpc.resilience.server.policies.full.methods=test.v1.Full",
				"grpc.resilience.server.policies.full.admission.max-per-second=0.01" })
class CatchAllAdviceTests {

	@GrpcClient("self")
	private Channel channel;

	@ParameterizedTest
	@CsvSource({ "wrong, INVALID_ARGUMENT, REQUEST_INVALID", "broken, INTERNAL, INTERNAL" })
	void requestsThatAreRefusedAreOurs(String request, Status.Code code, String reason) {
		for (MethodType type : MethodType.values()) {
			if (type == MethodType.UNKNOWN) {
				continue;
			}
			GrpcErrors errors = call("test.v1.Open", type, request, CallOptions.DEFAULT);
			assertThat(errors.code()).as("%s", type).isEqualTo(code);
			assertThat(errors.reason()).as("%s", type).hasValue(reason);
			assertThat(errors.badRequest().isPresent()).isEqualTo(code == Status.Code.INVALID_ARGUMENT);
		}
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
	void callsThatAreRefusedAreOurs(MethodType type) {
		assertThat(call("test.v1.Strict", type, "any", CallOptions.DEFAULT).reason()).hasValue("DEADLINE_REQUIRED");
		call("test.v1.Full", type, "any", CallOptions.DEFAULT);
		GrpcErrors full = call("test.v1.Full", type, "any", CallOptions.DEFAULT);
		assertThat(full.reason()).hasValue("RATE_LIMIT");
		assertThat(full.retryDelay()).isPresent();
		assertThat(call("test.v1.Open", type, "hold", CallOptions.DEFAULT.withDeadlineAfter(713, TimeUnit.MILLISECONDS))
			.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
	void exceptionsOfHandlersAreTheAdvices(MethodType type) {
		GrpcErrors errors = call("test.v1.Open", type, "throw", CallOptions.DEFAULT);
		assertThat(errors.code()).isEqualTo(Status.Code.DATA_LOSS);
		assertThat(errors.message()).isEqualTo("advised");
	}

	private GrpcErrors call(String service, MethodType type, String request, CallOptions options) {
		StringValue message = StringValue.of(request);
		Throwable thrown = catchThrowable(
				() -> ClientCalls.blockingUnaryCall(this.channel, method(service, type), options, message));
		return GrpcErrors.from(thrown);
	}

	/**
	 * A client may call a method of any type as if it were unary.
	 */
	private static MethodDescriptor<StringValue, StringValue> method(String service, MethodType type) {
		return MethodDescriptor.<StringValue, StringValue>newBuilder()
			.setType(type)
			.setFullMethodName(service + "/" + type)
			.setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
			.setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
			.build();
	}

	@SpringBootConfiguration
	@EnableAutoConfiguration
	static class Application {

		@Bean
		RequestCheck check() {
			return (request) -> {
				String text = ((StringValue) request).getValue();
				if (text.equals("broken")) {
					throw new IllegalStateException("broken check");
				}
				return text.equals("wrong") ? new InvalidRequest().violation("value", "is wrong", "right").toError()
						: null;
			};
		}

		@GrpcService
		io.grpc.BindableService open() {
			return () -> service("test.v1.Open");
		}

		@GrpcService
		io.grpc.BindableService strict() {
			return () -> service("test.v1.Strict");
		}

		@GrpcService
		io.grpc.BindableService full() {
			return () -> service("test.v1.Full");
		}

		private static ServerServiceDefinition service(String name) {
			return ServerServiceDefinition.builder(name)
				.addMethod(method(name, MethodType.UNARY), ServerCalls.asyncUnaryCall(Application::answer))
				.addMethod(method(name, MethodType.SERVER_STREAMING),
						ServerCalls.asyncServerStreamingCall(Application::answer))
				.addMethod(method(name, MethodType.CLIENT_STREAMING),
						ServerCalls.asyncClientStreamingCall(Application::collect))
				.addMethod(method(name, MethodType.BIDI_STREAMING),
						ServerCalls.asyncBidiStreamingCall(Application::collect))
				.build();
		}

		private static void answer(StringValue request, StreamObserver<StringValue> observer) {
			if (request.getValue().equals("throw")) {
				throw new IllegalStateException("of the handler");
			}
			if (!request.getValue().equals("hold")) {
				observer.onNext(request);
				observer.onCompleted();
			}
		}

		private static StreamObserver<StringValue> collect(StreamObserver<StringValue> observer) {
			return new StreamObserver<>() {

				@Override
				public void onNext(StringValue request) {
					answer(request, observer);
				}

				@Override
				public void onError(Throwable thrown) {
					// Its client left; nobody waits for an answer.
				}

				@Override
				public void onCompleted() {
					// Answered at the first message.
				}

			};
		}

		@Bean
		Advice advice() {
			return new Advice();
		}

	}

	/** Public, or net.devh cannot call it. */
	@GrpcAdvice
	public static class Advice {

		@GrpcExceptionHandler(Exception.class)
		public Status all(Exception thrown) {
			return Status.DATA_LOSS.withDescription("advised");
		}

	}

}
