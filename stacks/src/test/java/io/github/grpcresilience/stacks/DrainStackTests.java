package io.github.grpcresilience.stacks;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What callers see when an application ends that serves them, and in which order it goes.
 */
class DrainStackTests {

	private final List<AutoCloseable> open = new ArrayList<>();

	@AfterEach
	void end() throws Exception {
		for (int i = this.open.size() - 1; i >= 0; i--) {
			this.open.get(i).close();
		}
	}

	private ConfigurableApplicationContext start(WebApplicationType type, int next, String... more) {
		List<String> properties = new ArrayList<>(
				List.of("spring.application.name=harbor", "server.port=0", Stack.SERVER_PORT + "=0",
						"spring.jmx.enabled=false", "grpc.resilience.server.policies.slow.methods=test.v1.Shop/Work",
						"grpc.resilience.server.policies.slow.deadline.default=10m", Stack.WITHOUT_DATABASE));
		properties.addAll(List.of(Stack.client("next", next)));
		properties.addAll(List.of(more));
		ConfigurableApplicationContext application = new SpringApplicationBuilder(Harbor.class).web(type)
			.properties(properties.toArray(String[]::new))
			.run();
		Harbor.Log log = application.getBean(Harbor.Log.class);
		this.open.add(() -> {
			log.release.countDown();
			application.close();
		});
		return application;
	}

	private ManagedChannel channel(ConfigurableApplicationContext application) {
		ManagedChannel channel = Grpc
			.newChannelBuilderForAddress("localhost", application.getBean(ServerPort.class).port(),
					InsecureChannelCredentials.create())
			.build();
		this.open.add(channel::shutdownNow);
		return channel;
	}

	private static CompletableFuture<Void> close(ConfigurableApplicationContext application) {
		CompletableFuture<Void> closed = new CompletableFuture<>();
		new Thread(() -> {
			application.close();
			closed.complete(null);
		}).start();
		return closed;
	}

	private static <T> T join(CompletableFuture<T> future) {
		return future.orTimeout(60, TimeUnit.SECONDS).join();
	}

	private static void isDraining(Ended ended) {
		assertThat(ended.failure().code()).as("%s", ended).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(ended.failure().reason()).as("%s", ended).contains("DRAINING");
	}

	@ParameterizedTest
	@ValueSource(strings = { "NONE", "SERVLET" })
	void callInFlightIsAnsweredWithWhatItNeedsAndStreamsEndAtTheLimit(WebApplicationType type) {
		ConfigurableApplicationContext next = start(WebApplicationType.NONE, 1);
		ConfigurableApplicationContext harbor = start(type, next.getBean(ServerPort.class).port(),
				"grpc.resilience.server.drain.limit=4s", "server.shutdown=graceful",
				// Neither stack's servers are waited for by Spring.
				"spring.lifecycle.timeout-per-shutdown-phase=1ms");
		Harbor.Log log = harbor.getBean(Harbor.Log.class);
		ManagedChannel channel = channel(harbor);
		assertThat(Shop.call(channel, Shop.WORK, "hop")).isNotEmpty();
		CompletableFuture<Ended> stream = start(channel, Shop.STAY, "");
		CompletableFuture<Ended> call = start(channel, Shop.WORK, "wait");
		Queue<String> health = watch(channel);
		await().until(() -> log.entered.getCount() == 0 && health.contains("SERVING"));
		CompletableFuture<Void> closed = close(harbor);
		await().until(() -> log.events.contains("closed"));
		await().until(() -> health.contains("UNAVAILABLE"));
		assertThat(harbor.isActive()).isTrue();
		log.release.countDown();
		Ended answered = join(call);
		log.events.add("answered");
		assertThat(answered.messages()).as("%s", answered).hasSize(1);
		isDraining(join(stream));
		log.events.add("rotated");
		join(closed);
		assertThat(stream.join().messages()).containsExactly("open");
		assertThat(health).containsExactly("SERVING", "NOT_SERVING", "UNAVAILABLE");
		assertThat(log.events.stream().distinct()).startsWith("refusing", "closed", "answered")
			.containsOnly("refusing", "closed", "answered", "rotated", "destroyed");
	}

	@Test
	void everythingIsServedInThePause() {
		ConfigurableApplicationContext harbor = start(WebApplicationType.NONE, 1,
				"grpc.resilience.server.drain.pause=4s");
		Harbor.Log log = harbor.getBean(Harbor.Log.class);
		ManagedChannel channel = channel(harbor);
		assertThat(Shop.call(channel, Shop.WORK, "warm")).isEqualTo("warm");
		CompletableFuture<Void> closed = close(harbor);
		await().until(() -> log.events.contains("refusing"));
		ManagedChannel fresh = channel(harbor);
		assertThat(HealthGrpc.newBlockingStub(fresh).check(HealthCheckRequest.getDefaultInstance()).getStatus())
			.isEqualTo(ServingStatus.NOT_SERVING);
		assertThat(Shop.call(channel, Shop.WORK, "old")).isEqualTo("old");
		assertThat(Shop.call(fresh, Shop.WORK, "new")).isEqualTo("new");
		assertThat(log.events).containsExactly("refusing");
		join(closed);
		assertThat(log.events).containsSubsequence("refusing", "closed", "destroyed");
	}

	@ParameterizedTest
	@ValueSource(strings = { "0s", "2s" })
	void graceOfTheStackThatIsShorterHoldsAndIsFound(String grace) {
		ConfigurableApplicationContext harbor = start(WebApplicationType.NONE, 1, Stack.SERVER_GRACE + "=" + grace);
		Harbor.Log log = harbor.getBean(Harbor.Log.class);
		assertThat(harbor.getBean(GrpcResilience.class).inspection().findings())
			.filteredOn(Finding::id, "DRAIN_CUT_SHORT")
			.singleElement()
			.satisfies((finding) -> assertThat(finding.message()).contains(Stack.SERVER_GRACE));
		ManagedChannel channel = channel(harbor);
		CompletableFuture<Ended> call = start(channel, Shop.WORK, "wait");
		CompletableFuture<Ended> stream = start(channel, Shop.STAY, "");
		await().until(() -> log.entered.getCount() == 0);
		join(close(harbor));
		isDraining(join(call));
		isDraining(join(stream));
	}

	@ParameterizedTest
	@ValueSource(strings = { "grpc.resilience.enabled=false", "grpc.resilience.mode=observe" })
	void shutdownIsTheStacksOwnWhereNothingIsEnforced(String off) {
		ConfigurableApplicationContext harbor = start(WebApplicationType.NONE, 1, off, Stack.SERVER_GRACE + "=1s",
				"grpc.resilience.server.drain.pause=1h", "grpc.resilience.server.drain.limit=0s");
		Harbor.Log log = harbor.getBean(Harbor.Log.class);
		ManagedChannel channel = channel(harbor);
		CompletableFuture<Ended> call = start(channel, Shop.WORK, "wait");
		await().until(() -> log.entered.getCount() == 0);
		join(close(harbor));
		assertThat(join(call).failure().code()).isEqualTo(Status.Code.CANCELLED);
		assertThat(log.events).doesNotContain("refusing");
	}

	@Test
	void limitOfZeroDoesNotWait() {
		ConfigurableApplicationContext harbor = start(WebApplicationType.NONE, 1,
				"grpc.resilience.server.drain.limit=0s");
		Harbor.Log log = harbor.getBean(Harbor.Log.class);
		ManagedChannel channel = channel(harbor);
		CompletableFuture<Ended> call = start(channel, Shop.WORK, "wait");
		await().until(() -> log.entered.getCount() == 0);
		join(close(harbor));
		isDraining(join(call));
		harbor.close();
	}

	private static CompletableFuture<Ended> start(Channel channel, MethodDescriptor<String, String> method,
			String request) {
		CompletableFuture<Ended> ended = new CompletableFuture<>();
		List<String> messages = new ArrayList<>();
		ClientCalls.asyncServerStreamingCall(channel.newCall(method, CallOptions.DEFAULT), request,
				new StreamObserver<>() {

					@Override
					public void onNext(String value) {
						messages.add(value);
					}

					@Override
					public void onError(Throwable thrown) {
						ended.complete(new Ended(messages, GrpcErrors.from(thrown)));
					}

					@Override
					public void onCompleted() {
						ended.complete(new Ended(messages, GrpcErrors.from(Status.OK.asRuntimeException())));
					}

				});
		return ended;
	}

	/**
	 * What a watch of the health sees, how it ends included.
	 */
	private static Queue<String> watch(Channel channel) {
		Queue<String> seen = new ConcurrentLinkedQueue<>();
		HealthGrpc.newStub(channel).watch(HealthCheckRequest.getDefaultInstance(), new StreamObserver<>() {

			@Override
			public void onNext(HealthCheckResponse value) {
				seen.add(value.getStatus().name());
			}

			@Override
			public void onError(Throwable thrown) {
				seen.add(Status.fromThrowable(thrown).getCode().name());
			}

			@Override
			public void onCompleted() {
				seen.add("completed");
			}

		});
		return seen;
	}

	/**
	 * How a call ended.
	 */
	private record Ended(List<String> messages, GrpcErrors failure) {
	}

}
