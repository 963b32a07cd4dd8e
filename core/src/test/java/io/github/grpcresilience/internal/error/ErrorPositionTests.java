package io.github.grpcresilience.internal.error;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;

import io.grpc.Channel;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What a caller sees of each kind of exception, wherever it is thrown.
 */
class ErrorPositionTests {

	private static final String SECRET = "jdbc:secret/7";

	private final Loopback loopback = new Loopback();

	private final Queue<UnhandledError> unhandled = new ConcurrentLinkedQueue<>();

	@AfterEach
	void close() {
		this.loopback.close();
	}

	static List<Arguments> cases() {
		List<Arguments> cases = new ArrayList<>();
		for (MethodDescriptor<String, String> method : Calls.types()) {
			for (Position position : Position.values()) {
				for (Kind kind : Kind.values()) {
					if (position.suits(method.getType()) && (kind != Kind.CIRCULAR || position.throwsIt())) {
						cases.add(Arguments.of(method, position, kind));
					}
				}
			}
		}
		return cases;
	}

	@ParameterizedTest(name = "{0} {1} {2}")
	@MethodSource("cases")
	void callerSeesWhatIsMeant(MethodDescriptor<String, String> method, Position position, Kind kind) {
		position.armed.set(false);
		Shop shop = new Shop();
		Channel channel = Calls.warm(this.loopback.plainChannel(serve(shop, position, kind)));
		if (position.interceptor == null) {
			fail(shop, position, kind.thrown);
		}
		else {
			position.armed.set(true);
		}
		Ended ended = Calls.run(channel, method, Loopback.within(20_000));
		GrpcErrors errors = GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
		assertThat(errors.code()).isEqualTo(kind.code);
		assertThat(errors.reason()).hasValue(kind.reason);
		assertThat(errors.domain()).hasValue(kind.domain);
		assertThat(ended.messages()).hasSize(position.messages);
		assertThat(ended.status() + ended.trailers().toString() + errors.details()).doesNotContain("secret", "Illegal",
				"java.lang");
		if (kind.code == Status.Code.INTERNAL) {
			await().until(() -> this.unhandled.size() == 1);
			assertThat(this.unhandled.peek().id()).hasSize(32).isEqualTo(errors.requestInfo().get().getRequestId());
			assertThat(this.unhandled.peek().method()).isEqualTo(method.getFullMethodName());
		}
		else {
			assertThat(this.unhandled).isEmpty();
		}
	}

	private Server serve(Shop shop, Position position, Kind kind) {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder()
			.errors(new ErrorSettings("shop.example", 4096, false))
			.errorMappers(() -> List.of(ErrorMapper.of(OutOfStock.class, OutOfStock::toError)), List::of)
			.events((event) -> {
				if (event instanceof UnhandledError error) {
					this.unhandled.add(error);
				}
			}));
		ServerInterceptor throwing = (position.interceptor != null)
				? position.interceptor.apply(() -> position.armed.get() ? kind.thrown.get() : null) : null;
		Server server = this.loopback.servePlain(shop, (builder) -> {
			if (throwing != null && !position.outside) {
				builder.intercept(throwing);
			}
			builder.intercept(resilience.callPolicy());
			if (throwing != null && position.outside) {
				builder.intercept(throwing);
			}
			builder.intercept(resilience.callGuard()).addStreamTracerFactory(resilience.arrivals());
		});
		resilience.learn(server);
		return server;
	}

	private static void fail(Shop shop, Position position, Supplier<Throwable> thrown) {
		shop.unary((request, observer) -> position.fail(observer, thrown));
		shop.serverStream((request, observer) -> position.fail(observer, thrown));
		Function<StreamObserver<String>, StreamObserver<String>> streaming = (observer) -> {
			if (position == Position.THROW_IN_START) {
				throw ErrorPositionTests.<RuntimeException>sneak(thrown.get());
			}
			return new Failing(observer, position, thrown);
		};
		shop.clientStream(streaming);
		shop.bidi(streaming);
	}

	@SuppressWarnings({ "unchecked", "TypeParameterUnusedInFormals" })
	private static <E extends Throwable> RuntimeException sneak(Throwable thrown) throws E {
		throw (E) thrown;
	}

	enum Kind {

		RICH(() -> GrpcError.of(Status.Code.NOT_FOUND).reason("SKU_UNKNOWN").message("no such article"),
				Status.Code.NOT_FOUND, "SKU_UNKNOWN", "shop.example"),

		MAPPED(() -> new OutOfStock("SKU-7"), Status.Code.FAILED_PRECONDITION, "OUT_OF_STOCK", "shop.example"),

		MAPPED_CAUSE(() -> new CompletionException(SECRET, new OutOfStock("SKU-7")), Status.Code.FAILED_PRECONDITION,
				"OUT_OF_STOCK", "shop.example"),

		STATUS(() -> Status.fromThrowable(rich())
			.withCause(null)
			.asRuntimeException(Status.trailersFromThrowable(rich())), Status.Code.ABORTED, "RICH", "own"),

		UNKNOWN(() -> new IllegalStateException(SECRET, new IllegalArgumentException(SECRET)), Status.Code.INTERNAL,
				"INTERNAL", "grpc-resilience"),

		/** As Kotlin does, and Lombok. */
		CHECKED(() -> new IOException(SECRET), Status.Code.INTERNAL, "INTERNAL", "grpc-resilience"),

		CHECKED_AND_KNOWN(() -> new TimeoutException(SECRET), Status.Code.DEADLINE_EXCEEDED, "TIMEOUT", "shop.example"),

		BROKEN(Broken::new, Status.Code.INTERNAL, "INTERNAL", "grpc-resilience"),

		/** Not for {@code onError}: grpc-java's own stub never returns from it. */
		CIRCULAR(Circular::new, Status.Code.INTERNAL, "INTERNAL", "grpc-resilience");

		// Immutable in truth, only not annotated as such.
		@SuppressWarnings("ImmutableEnumChecker")
		private final Supplier<Throwable> thrown;

		private final Status.Code code;

		private final String reason;

		private final String domain;

		Kind(Supplier<Throwable> thrown, Status.Code code, String reason, String domain) {
			this.thrown = thrown;
			this.code = code;
			this.reason = reason;
			this.domain = domain;
		}

		private static GrpcError rich() {
			return GrpcError.of(Status.Code.ABORTED).reason("RICH").domain("own");
		}

	}

	enum Position {

		THROW {
			@Override
			void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
				throw ErrorPositionTests.<RuntimeException>sneak(thrown.get());
			}
		},

		THROW_IN_START {
			@Override
			void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
				throw new UnsupportedOperationException();
			}

			@Override
			boolean suits(MethodType type) {
				return !type.clientSendsOneMessage();
			}
		},

		ON_ERROR {
			@Override
			void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
				observer.onError(thrown.get());
			}
		},

		ON_ERROR_AND_THROW {
			@Override
			void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
				Throwable one = thrown.get();
				observer.onError(one);
				throw ErrorPositionTests.<RuntimeException>sneak(one);
			}
		},

		ASYNC {
			@Override
			void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
				Executor elsewhere = (task) -> new Thread(task).start();
				CompletableFuture.runAsync(() -> observer.onError(thrown.get()), elsewhere).exceptionally((ex) -> {
					throw new AssertionError(ex);
				});
			}
		},

		AFTER_MESSAGE(1) {
			@Override
			void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
				observer.onNext("first");
				throw ErrorPositionTests.<RuntimeException>sneak(thrown.get());
			}

			@Override
			boolean suits(MethodType type) {
				return !type.serverSendsOneMessage();
			}
		},

		INTERCEPTOR_START(false, (thrown) -> new ServerInterceptor() {
			@Override
			public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
					ServerCallHandler<ReqT, RespT> next) {
				throwIf(thrown.get());
				return next.startCall(call, headers);
			}
		}),

		INTERCEPTOR_MESSAGE(false, (thrown) -> new ThrowingOnMessage(thrown)),

		OUTER_INTERCEPTOR_START(true, INTERCEPTOR_START.interceptor),

		OUTER_INTERCEPTOR_MESSAGE(true, (thrown) -> new ThrowingOnMessage(thrown)),

		OUTER_INTERCEPTOR_GIVES_UP(true, (thrown) -> new ServerInterceptor() {
			@Override
			public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
					ServerCallHandler<ReqT, RespT> next) {
				Throwable cause = thrown.get();
				if (cause == null) {
					return next.startCall(call, headers);
				}
				call.close(Status.INTERNAL.withDescription("gave up").withCause(cause), new Metadata());
				return new ServerCall.Listener<>() {
				};
			}
		});

		private final int messages;

		private final boolean outside;

		// Immutable in truth, only not annotated as such.
		@SuppressWarnings("ImmutableEnumChecker")
		private final Function<Supplier<Throwable>, ServerInterceptor> interceptor;

		@SuppressWarnings("ImmutableEnumChecker")
		private final AtomicBoolean armed = new AtomicBoolean();

		Position() {
			this(0);
		}

		Position(int messages) {
			this.messages = messages;
			this.outside = false;
			this.interceptor = null;
		}

		Position(boolean outside, Function<Supplier<Throwable>, ServerInterceptor> interceptor) {
			this.messages = 0;
			this.outside = outside;
			this.interceptor = interceptor;
		}

		boolean throwsIt() {
			return this != ON_ERROR && this != ON_ERROR_AND_THROW && this != ASYNC;
		}

		private static void throwIf(Throwable thrown) {
			if (thrown != null) {
				throw ErrorPositionTests.<RuntimeException>sneak(thrown);
			}
		}

		void fail(StreamObserver<String> observer, Supplier<Throwable> thrown) {
			throw new UnsupportedOperationException();
		}

		boolean suits(MethodType type) {
			return true;
		}

	}

	private static final class ThrowingOnMessage implements ServerInterceptor {

		private final Supplier<Throwable> thrown;

		ThrowingOnMessage(Supplier<Throwable> thrown) {
			this.thrown = thrown;
		}

		@Override
		public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> call, Metadata headers,
				ServerCallHandler<ReqT, RespT> next) {
			return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {

				@Override
				public void onMessage(ReqT message) {
					Position.throwIf(ThrowingOnMessage.this.thrown.get());
					super.onMessage(message);
				}

			};
		}

	}

	private static final class Failing implements StreamObserver<String> {

		private final StreamObserver<String> observer;

		private final Position position;

		private final Supplier<Throwable> thrown;

		Failing(StreamObserver<String> observer, Position position, Supplier<Throwable> thrown) {
			this.observer = observer;
			this.position = position;
			this.thrown = thrown;
		}

		@Override
		public void onNext(String value) {
			this.position.fail(this.observer, this.thrown);
		}

		@Override
		public void onError(Throwable ex) {
			// Told that it was cancelled, as it should be.
		}

		@Override
		public void onCompleted() {
			if (this.position.throwsIt()) {
				throw new AssertionError("a handler that has thrown is told nothing more");
			}
		}

	}

	/** An exception of the application. */
	private static final class OutOfStock extends RuntimeException {

		private final String sku;

		OutOfStock(String sku) {
			super(SECRET);
			this.sku = sku;
		}

		GrpcError toError() {
			return GrpcError.answer(Status.Code.FAILED_PRECONDITION).reason("OUT_OF_STOCK").with("sku", this.sku);
		}

	}

	/** Cannot be asked for anything. */
	private static final class Broken extends RuntimeException {

		@Override
		public String getMessage() {
			throw new IllegalStateException(SECRET);
		}

		@Override
		public String toString() {
			throw new IllegalStateException(SECRET);
		}

	}

	private static final class Circular extends RuntimeException {

		Circular() {
			super(SECRET, new IllegalStateException(SECRET));
			getCause().initCause(this);
		}

	}

}
