package io.github.grpcresilience.frameworks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A channel that the application has made itself, past net.devh's starter, so that no
 * interceptor of ours is on it, and calls on it that nobody waits for.
 */
class ForeignChannelTests {

	private static final int CALLS = 20;

	private static final long BUDGET_MILLIS = 200;

	private static Peer peer;

	private static App app;

	@BeforeAll
	static void start() throws IOException {
		peer = Peer.start();
		app = App.of(Web.class).mvc().auto(TaskExecutionAutoConfiguration.class).start();
		app.on("notify", () -> {
			app.bean(Notifier.class).later();
			return "answered";
		});
		app.on("watch", () -> {
			app.bean(Notifier.class).watchLater();
			return "answered";
		});
		Door.HTTP.open("notify");
		Door.GRPC.open("notify");
	}

	@AfterAll
	static void stop() {
		app.close();
		peer.server.shutdownNow();
		peer.timer.shutdownNow();
	}

	@BeforeEach
	void begin() throws InterruptedException {
		app.bean(Notifier.class).begin();
	}

	@ParameterizedTest
	@EnumSource
	void callsThatARequestFiresSucceedAfterItsAnswer(Door door) throws Exception {
		for (int i = 0; i < CALLS; i++) {
			door.open("notify");
		}
		BlockingQueue<Future<String>> fired = app.bean(Notifier.class).fired();
		List<String> answers = new ArrayList<>();
		for (int i = 0; i < CALLS; i++) {
			answers.add(fired.poll(20, TimeUnit.SECONDS).get(20, TimeUnit.SECONDS));
		}
		assertThat(answers).hasSize(CALLS).containsOnly("notified");
	}

	@ParameterizedTest
	@EnumSource
	void streamThatTheFirstRequestOpensLivesOn(Door door) throws Exception {
		door.open("watch");
		TimeUnit.MILLISECONDS.sleep(BUDGET_MILLIS + 50);
		Notifier notifier = app.bean(Notifier.class);
		int before = notifier.watched();
		App.soon().untilAsserted(() -> assertThat(notifier.watched()).isGreaterThan(before + 5));
		assertThat(notifier.ends()).isEmpty();
	}

	/** What lets a request in. */
	enum Door {

		/** The request itself fires the calls. */
		HTTP {

			@Override
			void open(String request) {
				assertThat(app.get("/" + request, BUDGET_MILLIS).body()).isEqualTo("answered");
			}

		},

		/** A task fires them, since grpc-java cancels what a handler begins. */
		GRPC {

			@Override
			void open(String request) {
				assertThat(app.call(request, BUDGET_MILLIS)).isEqualTo("answered");
			}

		};

		abstract void open(String request);

	}

	/** Tells somebody else, and does not wait. */
	static class Notifier {

		private final ManagedChannel channel;

		private final BlockingQueue<Future<String>> fired = new LinkedBlockingQueue<>();

		/** Of the streams that were opened last. */
		private volatile AtomicInteger watched = new AtomicInteger();

		private final BlockingQueue<String> ends = new LinkedBlockingQueue<>();

		Notifier(ManagedChannel channel) {
			this.channel = channel;
		}

		void begin() {
			this.fired.clear();
			this.ends.clear();
			this.watched = new AtomicInteger();
		}

		BlockingQueue<Future<String>> fired() {
			return this.fired;
		}

		/** Messages of streams that are there. */
		int watched() {
			return this.watched.get();
		}

		/** Ends of streams. */
		BlockingQueue<String> ends() {
			return this.ends;
		}

		void fire() {
			this.fired.add(ClientCalls.futureUnaryCall(this.channel.newCall(Peer.NOTIFY, CallOptions.DEFAULT), ""));
		}

		void watch() {
			AtomicInteger messages = this.watched;
			ClientCalls.asyncServerStreamingCall(this.channel.newCall(Peer.WATCH, CallOptions.DEFAULT), "",
					new StreamObserver<String>() {

						@Override
						public void onNext(String value) {
							messages.incrementAndGet();
						}

						@Override
						public void onError(Throwable thrown) {
							Notifier.this.ends.add(String.valueOf(thrown));
						}

						@Override
						public void onCompleted() {
							Notifier.this.ends.add("completed");
						}

					});
		}

		@Async
		void later() {
			fire();
		}

		@Async
		void watchLater() {
			watch();
		}

	}

	/** Fires and answers. */
	@RestController
	static class Controller {

		private final Notifier notifier;

		Controller(Notifier notifier) {
			this.notifier = notifier;
		}

		@GetMapping("/notify")
		String fire() {
			this.notifier.fire();
			return "answered";
		}

		@GetMapping("/watch")
		String watch() {
			this.notifier.watch();
			return "answered";
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@Import({ Notifier.class, Controller.class })
	static class Web {

		@Bean(destroyMethod = "shutdownNow")
		ManagedChannel channel() {
			return NettyChannelBuilder.forAddress("localhost", peer.server.getPort()).usePlaintext().build();
		}

	}

	/**
	 * Somebody else's service.
	 *
	 * @param server where it is
	 * @param timer what makes it slow
	 */
	private record Peer(Server server, ScheduledExecutorService timer) {

		private static final MethodDescriptor<String, String> NOTIFY = Calls.method("Notify");

		private static final MethodDescriptor<String, String> WATCH = Calls.method("Watch")
			.toBuilder()
			.setType(MethodDescriptor.MethodType.SERVER_STREAMING)
			.build();

		static Peer start() throws IOException {
			ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
			Server server = NettyServerBuilder.forPort(0)
				.addService(ServerServiceDefinition.builder("frameworks.v1.Calls")
					.addMethod(NOTIFY, ServerCalls.asyncUnaryCall((request, observer) -> answer(timer, observer)))
					.addMethod(WATCH,
							ServerCalls.asyncServerStreamingCall(
									(request, observer) -> tick(timer, (ServerCallStreamObserver<String>) observer)))
					.build())
				.build()
				.start();
			return new Peer(server, timer);
		}

		private static void answer(ScheduledExecutorService timer, StreamObserver<String> observer) {
			Future<?> unused = timer.schedule(() -> {
				observer.onNext("notified");
				observer.onCompleted();
			}, 2 * BUDGET_MILLIS, TimeUnit.MILLISECONDS);
		}

		private static void tick(ScheduledExecutorService timer, ServerCallStreamObserver<String> observer) {
			if (!observer.isCancelled()) {
				observer.onNext("tick");
				Future<?> unused = timer.schedule(() -> tick(timer, observer), 20, TimeUnit.MILLISECONDS);
			}
		}

	}

}
