package io.github.grpcresilience.internal.deadline;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.test.Relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Handlers that produce without end stop when their caller is gone, also those that never
 * ask.
 */
class ProducerTests {

	private final Loopback loopback = new Loopback();

	private final ExecutorService producers = Executors.newCachedThreadPool();

	private final AtomicInteger sent = new AtomicInteger();

	private final CompletableFuture<Throwable> stopped = new CompletableFuture<>();

	@AfterEach
	void end() {
		this.loopback.close();
		this.producers.shutdownNow();
	}

	private void produce(StreamObserver<String> observer) {
		try {
			while (this.sent.get() < 1_000_000) {
				observer.onNext("more");
				this.sent.incrementAndGet();
				TimeUnit.MILLISECONDS.sleep(1);
			}
			this.stopped.complete(null);
		}
		catch (StatusRuntimeException ex) {
			this.stopped.complete(ex);
			throw ex;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private void produceWhileAsked(StreamObserver<String> observer) {
		ServerCallStreamObserver<String> call = (ServerCallStreamObserver<String>) observer;
		while (!call.isCancelled()) {
			if (call.isReady()) {
				call.onNext("more");
				this.sent.incrementAndGet();
			}
		}
		this.stopped.complete(null);
	}

	private ClientCall<String, String> start(Relay relay, MethodDescriptor<String, String> method,
			CallOptions options) {
		ManagedChannel channel = this.loopback.channel(relay.port(), this.loopback.resilience(GrpcResilience.builder()),
				"front");
		ClientCall<String, String> call = channel.newCall(method, options);
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onMessage(String message) {
				call.request(1);
			}

		}, new Metadata());
		call.request(1);
		call.sendMessage("x");
		if (method.getType().clientSendsOneMessage()) {
			call.halfClose();
		}
		return call;
	}

	private Server serve(End end, Consumer<StreamObserver<String>> producer) {
		return this.loopback.serve(
				this.loopback.resilience(GrpcResilience.builder()
					.policies(Policies.server()
						.policy("short", Shop.SERVER_STREAM.getFullMethodName())
						.with(DeadlineSettings.DEFAULT,
								(end == End.DEADLINE) ? Duration.ofMillis(700) : Duration.ofSeconds(29))
						.end()
						.define())),
				new Shop().serverStream((request, observer) -> producer.accept(observer))
					.bidi((observer) -> new StreamObserver<>() {

						@Override
						public void onNext(String value) {
							producer.accept(observer);
						}

						@Override
						public void onError(Throwable thrown) {
							// Told once the handler has stopped.
						}

						@Override
						public void onCompleted() {
							observer.onCompleted();
						}

					}));
	}

	private void assertStops(Server server, MethodDescriptor<String, String> method, End end) throws Exception {
		try (Relay relay = new Relay(server.getPort())) {
			ClientCall<String, String> call = start(relay, method, CallOptions.DEFAULT);
			await().until(() -> this.sent.get() > 3);
			end.end(call, relay);
			Throwable thrown = this.stopped.get(10, TimeUnit.SECONDS);
			if (thrown != null) {
				assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.CANCELLED);
			}
		}
	}

	@ParameterizedTest
	@EnumSource
	void serverStreamThatNeverAsksStops(End end) throws Exception {
		assertStops(serve(end, this::produce), Shop.SERVER_STREAM, end);
	}

	@ParameterizedTest
	@EnumSource(names = { "CANCEL", "RESET" })
	void bidiThatNeverAsksStops(End end) throws Exception {
		assertStops(serve(end, this::produce), Shop.BIDI, end);
	}

	@ParameterizedTest
	@EnumSource
	void serverStreamThatAsksIsTold(End end) throws Exception {
		assertStops(serve(end, this::produceWhileAsked), Shop.SERVER_STREAM, end);
	}

	/**
	 * It may have asked an instant before, or be about to finish.
	 */
	@ParameterizedTest
	@EnumSource
	void handlerThatSendsALittleMoreIsNotThrownAt(End end) throws Exception {
		AtomicInteger unheard = new AtomicInteger();
		assertStops(serve(end, (observer) -> {
			ServerCallStreamObserver<String> call = (ServerCallStreamObserver<String>) observer;
			this.sent.set(4);
			await().until(call::isCancelled);
			try {
				while (unheard.get() < 1_000) {
					observer.onNext("more");
					unheard.incrementAndGet();
				}
			}
			catch (StatusRuntimeException ex) {
				this.stopped.complete(ex);
				throw ex;
			}
		}), Shop.SERVER_STREAM, end);
		assertThat(unheard).hasValue(16);
	}

	/**
	 * Another thread is not thrown at: its handler hears of the end in onCancel.
	 */
	@ParameterizedTest
	@EnumSource
	void producerOnAnotherThreadIsToldByOnCancel(End end) throws Exception {
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Server server = serve(end, (observer) -> {
			CompletableFuture<Void> cancelled = new CompletableFuture<>();
			((ServerCallStreamObserver<String>) observer).setOnCancelHandler(() -> cancelled.complete(null));
			this.producers.execute(() -> {
				try {
					while (!cancelled.isDone()) {
						observer.onNext("more");
						this.sent.incrementAndGet();
					}
					observer.onNext("one too many");
					failure.complete(null);
				}
				catch (RuntimeException ex) {
					failure.complete(ex);
				}
				this.stopped.complete(null);
			});
		});
		assertStops(server, Shop.SERVER_STREAM, end);
		assertThat(failure.get(10, TimeUnit.SECONDS)).isNull();
	}

	private enum End {

		CANCEL {

			@Override
			void end(ClientCall<String, String> call, Relay relay) {
				call.cancel("enough", null);
			}

		},

		RESET {

			@Override
			void end(ClientCall<String, String> call, Relay relay) {
				relay.reset();
			}

		},

		DEADLINE {

			@Override
			void end(ClientCall<String, String> call, Relay relay) {
				// The server ends it.
			}

		};

		abstract void end(ClientCall<String, String> call, Relay relay);

	}

}
