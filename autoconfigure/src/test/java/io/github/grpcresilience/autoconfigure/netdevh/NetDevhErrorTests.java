package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.micrometer.core.instrument.MeterRegistry;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.advice.GrpcAdvice;
import net.devh.boot.grpc.server.advice.GrpcExceptionHandler;
import net.devh.boot.grpc.server.interceptor.GrpcGlobalServerInterceptor;
import net.devh.boot.grpc.server.service.GrpcService;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.autoconfigure.actuate.observability.AutoConfigureObservability;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.support.StaticMessageSource;
import org.springframework.core.annotation.Order;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.TestPropertySource;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.Failing;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What callers see of exceptions on net.devh's starter, with and without a
 * {@code @GrpcAdvice}. In-process, since {@code self:self} names the server of whichever
 * context of a JVM was first.
 */
class NetDevhErrorTests {

	private static Channel intercepted(Channel channel) {
		Metadata headers = new Metadata();
		headers.put(Application.THROW, "yes");
		return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
	}

	@Nested
	@AutoConfigureObservability
	@ExtendWith(OutputCaptureExtension.class)
	@DirtiesContext
	@SpringBootTest(classes = Application.class, webEnvironment = WebEnvironment.NONE,
			properties = { "spring.application.name=shop", "grpc.server.port=-1",
					"grpc.server.in-process-name=without-advice",
					"grpc.client.self.address=in-process:without-advice" })
	class WithoutAdvice {

		@GrpcClient("self")
		private Channel channel;

		@Autowired
		private MeterRegistry meters;

		@ParameterizedTest
		@ValueSource(strings = { "throw", "onError", "async" })
		void everythingIsOurs(String position) {
			GrpcErrors rich = Failing.call(this.channel, position + " rich");
			assertThat(rich.code()).isEqualTo(Status.Code.NOT_FOUND);
			assertThat(rich.reason()).hasValue("SKU_UNKNOWN");
			assertThat(rich.domain()).hasValue("shop");
			GrpcErrors mapped = Failing.call(this.channel, position + " mapped");
			assertThat(mapped.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
			assertThat(mapped.reason()).hasValue("NOT_READY");
			assertThat(Failing.call(this.channel, position + " wrapped").reason()).hasValue("NOT_READY");
			assertThat(Failing.call(this.channel, position + " status").message()).isEqualTo("built");
			GrpcErrors unknown = Failing.call(this.channel, position + " unknown");
			assertThat(unknown.code()).isEqualTo(Status.Code.INTERNAL);
			assertThat(unknown.reason()).hasValue("INTERNAL");
		}

		@Test
		void unknownExceptionIsLoggedOnceWithTheIdOfTheAnswer(CapturedOutput output) {
			GrpcErrors unknown = Failing.call(this.channel, "throw unknown");
			String id = unknown.requestInfo().get().getRequestId();
			await().until(() -> output.getOut().contains(id));
			assertThat(output.getOut().split("ArithmeticException: " + Failing.SECRET, -1)).hasSize(2);
		}

		@Test
		void exceptionThatCannotBePrintedIsLoggedAsWellAsCanBe(CapturedOutput output) {
			GrpcErrors broken = Failing.call(this.channel, "throw broken");
			assertThat(broken.reason()).hasValue("INTERNAL");
			String id = broken.requestInfo().get().getRequestId();
			await().until(() -> output.getOut().contains(id) && output.getOut().contains("Failing$Broken"));
		}

		@Test
		void textForUsersComesInTheirLanguage() {
			Metadata headers = new Metadata();
			headers.put(Metadata.Key.of("accept-language", Metadata.ASCII_STRING_MARSHALLER), "de-AT, en;q=0.7");
			Channel german = ClientInterceptors.intercept(this.channel,
					MetadataUtils.newAttachHeadersInterceptor(headers));
			assertThat(Failing.call(german, "throw rich").localizedMessage().get().getMessage())
				.isEqualTo("Den Artikel SKU-7 gibt es nicht.");
		}

		@Test
		void metersSeeTheAnswer() {
			Failing.call(this.channel, "throw mapped");
			await().untilAsserted(() -> assertThat(this.meters.get("grpc.server")
				.tag("grpc.status_code", "FAILED_PRECONDITION")
				.timer()
				.totalTime(TimeUnit.NANOSECONDS)).isPositive());
		}

		@Test
		void outerInterceptorIsAnsweredForToo() {
			GrpcErrors errors = Failing.call(intercepted(this.channel), "throw rich");
			assertThat(errors.reason()).hasValue("NOT_READY");
		}

	}

	@Nested
	@DirtiesContext
	@SpringBootTest(classes = { Application.class, Advice.class }, webEnvironment = WebEnvironment.NONE)
	@TestPropertySource(properties = { "spring.application.name=shop", "grpc.server.port=-1",
			"grpc.server.in-process-name=with-advice", "grpc.resilience.errors.domain=shop.example",
			"grpc.client.self.address=in-process:with-advice" })
	class WithAdvice {

		@GrpcClient("self")
		private Channel channel;

		@Autowired
		private GrpcResilience resilience;

		@ParameterizedTest
		@ValueSource(strings = { "throw", "onError", "async" })
		void adviceWinsForWhatItMaps(String position) {
			GrpcErrors advised = Failing.call(this.channel, position + " advised");
			assertThat(advised.code()).isEqualTo(Status.Code.UNIMPLEMENTED);
			assertThat(advised.message()).isEqualTo("advised");
			assertThat(this.resilience.inspection().findings())
				.noneMatch((finding) -> finding.severity() == Finding.Severity.WARNING);
		}

		@ParameterizedTest
		@ValueSource(strings = { "throw", "onError", "async" })
		void theRestIsOurs(String position) {
			assertThat(Failing.call(this.channel, position + " rich").reason()).hasValue("SKU_UNKNOWN");
			assertThat(Failing.call(this.channel, position + " rich").domain()).hasValue("shop.example");
			assertThat(Failing.call(this.channel, position + " mapped").reason()).hasValue("NOT_READY");
			assertThat(Failing.call(this.channel, position + " status").message()).isEqualTo("built");
			assertThat(Failing.call(this.channel, position + " unknown").reason()).hasValue("INTERNAL");
		}

		@Test
		void outerInterceptorIsAnsweredForToo() {
			assertThat(Failing.call(intercepted(this.channel), "throw rich").reason()).hasValue("NOT_READY");
		}

	}

	@SpringBootConfiguration
	@EnableAutoConfiguration
	static class Application {

		static final Metadata.Key<String> THROW = Metadata.Key.of("x-throw", Metadata.ASCII_STRING_MARSHALLER);

		@GrpcService
		Failing failing() {
			return new Failing();
		}

		@Bean
		ErrorMapper<IllegalStateException> notReady() {
			return ErrorMapper.of(IllegalStateException.class,
					(ex) -> GrpcError.answer(Status.Code.FAILED_PRECONDITION).reason("NOT_READY"));
		}

		@Bean
		StaticMessageSource messageSource() {
			StaticMessageSource texts = new StaticMessageSource();
			texts.addMessage("sku.unknown", Locale.GERMAN, "Den Artikel {0} gibt es nicht.");
			return texts;
		}

		/** Outside of our policy, inside of the advice. */
		@Order(100)
		@GrpcGlobalServerInterceptor
		ServerInterceptor throwing() {
			return new ServerInterceptor() {
				@Override
				public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call,
						Metadata headers, ServerCallHandler<ReqT, RespT> next) {
					if (headers.containsKey(THROW)) {
						throw new IllegalStateException(Failing.SECRET);
					}
					return next.startCall(call, headers);
				}
			};
		}

	}

	/** Public, or net.devh cannot call it. */
	@GrpcAdvice
	public static class Advice {

		@GrpcExceptionHandler
		public Status unsupported(UnsupportedOperationException ex) {
			return Status.UNIMPLEMENTED.withDescription("advised").withCause(ex);
		}

	}

}
