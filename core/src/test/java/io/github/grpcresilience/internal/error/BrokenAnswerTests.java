package io.github.grpcresilience.internal.error;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What breaks on the way of an answer must not cost the caller an answer, on no thread.
 */
@Timeout(60)
class BrokenAnswerTests {

	private static final String SECRET = "secret=hunter2";

	private final Loopback loopback = new Loopback();

	private final Queue<UnhandledError> unhandled = new ConcurrentLinkedQueue<>();

	private final Shop shop = new Shop();

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private Channel serve(ErrorMapper<?> mapper, @Nullable ServerInterceptor between) {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.errorMappers(() -> List.of(mapper),
					() -> List.of(() -> List.of(ErrorMapper.of(UnreadableTimeout.class, (ex) -> {
						throw new AssertionError(ex.getMessage());
					}))))
			.events((event) -> {
				if (event instanceof UnhandledError error) {
					this.unhandled.add(error);
				}
			}));
		Server server = this.loopback.servePlain(this.shop, (builder) -> {
			builder.intercept(resilience.callPolicy());
			if (between != null) {
				builder.intercept(between);
			}
			builder.intercept(resilience.callGuard()).addStreamTracerFactory(resilience.arrivals());
		});
		resilience.learn(server);
		return Calls.warm(this.loopback.plainChannel(server));
	}

	private static ErrorMapper<ArithmeticException> unused() {
		return ErrorMapper.of(ArithmeticException.class, (ex) -> null);
	}

	private Ended failing(Channel channel, Consumer<StreamObserver<String>> end) {
		this.shop.unary((request, observer) -> {
			Thread elsewhere = new Thread(() -> end.accept(observer));
			elsewhere.setUncaughtExceptionHandler((thread, thrown) -> {
				// The application's thread hears of it, and the caller as well.
			});
			elsewhere.start();
		});
		return Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
	}

	@ParameterizedTest
	@ValueSource(strings = { ":status", "x!y" })
	void trailersThatNobodyCanSend(String name) {
		Ended ended = failing(serve(unused(), null), (observer) -> {
			Metadata trailers = InternalMetadata.newMetadata(name.getBytes(US_ASCII), "200".getBytes(US_ASCII));
			trailers.merge(Status.trailersFromThrowable(GrpcError.of(Status.Code.ABORTED).reason("RICH")));
			observer.onError(Status.ABORTED.asRuntimeException(trailers));
		});
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.ABORTED);
		assertThat(GrpcErrors.from(ended.status().asRuntimeException(ended.trailers())).reason()).hasValue("RICH");
	}

	@Test
	void mapperThatThrowsAnError() {
		Ended ended = failing(serve(ErrorMapper.of(IllegalStateException.class, (ex) -> {
			throw new AssertionError(SECRET);
		}), null), (observer) -> observer.onError(new IllegalStateException(SECRET)));
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.INTERNAL);
		assertThat(ended.status().toString()).doesNotContain("secret");
		assertThat(this.unhandled).hasSize(1);
	}

	@Test
	void statusWhoseCauseCannotBeMapped() {
		Ended ended = failing(serve(unused(), null),
				(observer) -> observer.onError(Status.ABORTED.withCause(new UnreadableTimeout()).asRuntimeException()));
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.INTERNAL);
		assertThat(this.unhandled).hasSize(1);
	}

	@Test
	void interceptorThatThrowsWhenTheCallIsClosed() {
		ServerInterceptor broken = closing((status) -> {
			throw new IllegalStateException(SECRET);
		});
		Ended ended = failing(serve(unused(), broken),
				(observer) -> observer.onError(GrpcError.of(Status.Code.NOT_FOUND).reason("SKU_UNKNOWN")));
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		ended = failing(serve(unused(), broken), (observer) -> {
			// Never answers: its deadline does.
		}, 300);
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
	}

	private Ended failing(Channel channel, Consumer<StreamObserver<String>> end, long millis) {
		this.shop.unary((request, observer) -> end.accept(observer));
		return Calls.run(channel, Shop.UNARY, Loopback.within(millis));
	}

	@Test
	void keysOfMetadataAreNeeded() {
		assertThatExceptionOfType(NullPointerException.class)
			.isThrownBy(() -> GrpcError.of(Status.Code.ABORTED).with(null, "x"))
			.withMessage("key");
	}

	@Test
	void errorAfterTheAnswerIsToldToNobody() throws Exception {
		Channel channel = serve(unused(), null);
		CountDownLatch late = new CountDownLatch(2);
		this.shop.unary((request, observer) -> {
			Shop.echo(request, observer);
			observer.onError(new IllegalStateException("late"));
			late.countDown();
		});
		assertThat(Loopback.call(channel, Loopback.within(20_000), "x")).isEqualTo("x");
		this.shop.unary((request, observer) -> Context.current().addListener((context) -> {
			observer.onError(new IllegalStateException("late"));
			late.countDown();
		}, Runnable::run));
		assertThat(Calls.run(channel, Shop.UNARY, Loopback.within(300)).status().getCode())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(late.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(this.unhandled).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "CANCELLED", "DEADLINE_EXCEEDED" })
	void failureOfAnInterceptorsOwnCallIsRelayed(Status.Code code) {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		Server authorizer = this.loopback.servePlain(
				new Shop().unary((request, observer) -> observer
					.onError(code.toStatus().withDescription("[remote_addr=" + SECRET + "]").asRuntimeException())),
				(builder) -> {
				});
		Channel auth = this.loopback.channel(authorizer, resilience, "auth");
		AtomicReference<Boolean> armed = new AtomicReference<>(false);
		ServerInterceptor outside = new ServerInterceptor() {
			@Override
			public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
					ServerCallHandler<ReqT, RespT> next) {
				if (armed.get()) {
					Loopback.call(auth, Loopback.within(20_000), "token");
				}
				return next.startCall(call, headers);
			}
		};
		Channel channel = serve(unused(), outside);
		armed.set(true);
		Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(ended.status().getCode()).isEqualTo(code);
		assertThat(ended.status().getDescription()).contains("a call to test.v1.Shop/Unary failed")
			.doesNotContain("secret");
	}

	@Test
	void unknownHasNoCauseThatOthersCouldMistake() {
		AtomicReference<Status> seen = new AtomicReference<>();
		Metadata details = Status.trailersFromThrowable(GrpcError.of(Status.Code.UNKNOWN).reason("RICH"));
		Ended ended = failing(serve(unused(), closing(seen::set)), (observer) -> observer
			.onError(Status.UNKNOWN.withCause(new IllegalStateException(SECRET)).asRuntimeException(details)));
		assertThat(ended.status().getCode()).isEqualTo(Status.Code.UNKNOWN);
		assertThat(seen.get().getCause()).isNull();
	}

	@Test
	void repeatedDetailsAndTildesDoNotBreakTheConnection() {
		Channel channel = serve(unused(), null);
		Metadata repeated = new Metadata();
		Metadata.Key<byte[]> key = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
		repeated.put(key, new byte[6_000]);
		repeated.put(key, new byte[3_000]);
		assertThat(
				failing(channel, (observer) -> observer.onError(Status.ABORTED.asRuntimeException(repeated))).status()
					.getCode())
			.isEqualTo(Status.Code.ABORTED);
		Metadata own = new Metadata();
		own.put(Metadata.Key.of("x-own", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(7680 - 512 - 37));
		assertThat(failing(channel,
				(observer) -> observer.onError(Status.ABORTED.withDescription("~".repeat(512)).asRuntimeException(own)))
			.status()
			.getCode()).isEqualTo(Status.Code.ABORTED);
	}

	private static ServerInterceptor closing(Consumer<Status> onClose) {
		return new ServerInterceptor() {
			@Override
			public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
					ServerCallHandler<ReqT, RespT> next) {
				return next.startCall(new SimpleForwardingServerCall<>(call) {

					@Override
					public void close(Status status, Metadata trailers) {
						if (!status.isOk()) {
							onClose.accept(status);
						}
						super.close(status, trailers);
					}

				}, headers);
			}
		};
	}

	/** A built-in mapper knows it, and cannot read it. */
	private static final class UnreadableTimeout extends java.util.concurrent.TimeoutException {

		@Override
		public String getMessage() {
			throw new AssertionError(SECRET);
		}

	}

}
