package io.github.grpcresilience.fleet;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Three replicas, each a process of its own, under constant load, and what happens to one
 * of them on a bad day. What it costs those who do not attempt again is measured, not
 * asserted. {@code -Dfleet.calls=200000} makes it long.
 */
class FleetTests {

	private static final long CALLS = Long.getLong("fleet.calls", 20_000);

	private static final int PER_SECOND = Integer.getInteger("fleet.rate", 1_500);

	private static final int FEW = 50;

	/** More than wait for a replica that is silent. */
	private static final int MANY = 1_000;

	private static final Duration DRAIN_LIMIT = Duration.ofSeconds(4);

	private static final Duration ANY_AGE = Duration.ZERO;

	private static final Duration DEADLINE = Duration.ofSeconds(20);

	private static final Duration PATIENCE = Duration.ofMinutes(2);

	private final Fleet fleet = new Fleet();

	@AfterEach
	void end() {
		this.fleet.close();
	}

	@Test
	void rollingRestartFailsNoCall() throws Exception {
		List<Replica> replicas = this.fleet.start(3, DRAIN_LIMIT, ANY_AGE);
		Load retrying = this.fleet.load(Fleet.RETRYING, PER_SECOND, FEW, DEADLINE);
		Load plain = this.fleet.load(Fleet.PLAIN, PER_SECOND / 3, FEW, DEADLINE);
		do {
			for (Replica replica : replicas) {
				awaitCalls(replicas, retrying, plain);
				replica.terminate();
				assertThat(replica.awaitExit()).isEqualTo(128 + 15);
				replica.start();
			}
		}
		while (retrying.sent() < CALLS / 2);
		awaitCalls(replicas, retrying, plain);
		await().atMost(Duration.ofMillis(CALLS).plus(PATIENCE)).until(() -> retrying.sent() >= CALLS);
		stop(retrying, plain);
		note("rolling restart", retrying, plain);
		assertThat(retrying.failures()).as("%s", retrying.lastFailure()).isZero();
	}

	@Test
	void killedReplicaFailsNoCallThatIsAttemptedAgain() throws Exception {
		List<Replica> replicas = this.fleet.start(3, DRAIN_LIMIT, ANY_AGE);
		Load retrying = this.fleet.load(Fleet.RETRYING, 300, FEW, DEADLINE);
		Load plain = this.fleet.load(Fleet.PLAIN, 150, FEW, DEADLINE);
		awaitCalls(replicas, retrying, plain);
		// The budget of attempts is a share of the calls of the last seconds.
		await().atMost(PATIENCE).until(() -> retrying.sent() > 1_000);
		note("before kill -9", retrying, plain);
		long killed = System.nanoTime();
		replicas.get(1).kill();
		replicas.get(1).awaitExit();
		awaitCalls(List.of(replicas.get(0), replicas.get(2)), retrying, plain);
		replicas.get(1).start();
		awaitCalls(replicas, retrying, plain);
		stop(retrying, plain);
		note("kill -9", retrying, plain);
		noteRecovery("kill -9", killed, plain);
		assertThat(retrying.failures()).as("%s", retrying.lastFailure()).isZero();
	}

	/** Its connections stay, so only its silence tells. */
	@Test
	void pausedReplicaIsLeftAloneUntilItGoesOn() throws Exception {
		List<Replica> replicas = this.fleet.start(3, DRAIN_LIMIT, ANY_AGE);
		Duration deadline = Duration.ofMillis(500);
		Load retrying = this.fleet.load(Fleet.RETRYING, 300, MANY, deadline);
		Load plain = this.fleet.load(Fleet.PLAIN, 150, MANY, deadline);
		awaitCalls(replicas, retrying, plain);
		// What a start costs is not the replica's fault.
		await().atMost(PATIENCE)
			.until(() -> plain.sentSinceLastFailure() > 300 && retrying.sentSinceLastFailure() > 600);
		note("before pause", retrying, plain);
		long paused = System.nanoTime();
		replicas.get(1).pause();
		long atPause = plain.sent();
		await().atMost(PATIENCE).until(() -> plain.sent() > atPause + 150 * Integer.getInteger("fleet.pause", 2));
		await().atMost(PATIENCE).until(() -> plain.failures() > 0 && plain.sentSinceLastFailure() > 300);
		await().atMost(PATIENCE).until(() -> retrying.sentSinceLastFailure() > 600);
		note("paused", retrying, plain);
		noteRecovery("paused", paused, plain);
		replicas.get(1).resume();
		awaitCalls(replicas, retrying, plain);
		stop(retrying, plain);
	}

	@Test
	void callIsAnsweredAndStreamIsToldWhenTheServerGoes() throws Exception {
		Replica replica = this.fleet.start(1, DRAIN_LIMIT, ANY_AGE).get(0);
		ManagedChannel channel = this.fleet.channel(Fleet.PLAIN);
		CompletableFuture<Throwable> stream = openStream(channel);
		CompletableFuture<String> call = new CompletableFuture<>();
		call.completeAsync(() -> Loopback.call(channel, CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.HOURS),
				String.valueOf(DRAIN_LIMIT.toMillis() / 2)));
		// What came after it has been answered, so it has arrived.
		assertThat(Loopback.call(channel, Loopback.within(20_000), "0")).isEqualTo(replica.name());
		long terminated = System.nanoTime();
		replica.terminate();
		assertThat(call.get(1, TimeUnit.MINUTES)).isEqualTo(replica.name());
		long answered = System.nanoTime();
		GrpcErrors ended = GrpcErrors.from(stream.get(1, TimeUnit.MINUTES));
		long told = System.nanoTime();
		assertThat(replica.awaitExit()).isEqualTo(128 + 15);
		long exited = System.nanoTime();
		Measured
			.note("fleet: SIGTERM, limit %d ms: call answered after %d ms, stream ended after %d ms, exit after %d ms"
				.formatted(DRAIN_LIMIT.toMillis(), millis(answered - terminated), millis(told - terminated),
						millis(exited - terminated)));
		assertThat(ended.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(ended.reason()).hasValue("DRAINING");
	}

	@Test
	void addedReplicaIsUsedOnceConnectionsAreOld() throws Exception {
		Duration age = Duration.ofSeconds(1);
		List<Replica> replicas = this.fleet.start(3, DRAIN_LIMIT, age);
		Load retrying = this.fleet.load(Fleet.RETRYING, 300, FEW, DEADLINE);
		Load plain = this.fleet.load(Fleet.PLAIN, 150, FEW, DEADLINE);
		awaitCalls(replicas, retrying, plain);
		Replica fourth = this.fleet.start(new Replica("replica-4", DRAIN_LIMIT, age));
		long added = System.nanoTime();
		await().atMost(PATIENCE).until(() -> plain.answersOf(fourth.name()) > 0);
		Measured.note("fleet: age 1 s, fourth replica used after %d ms".formatted(millis(System.nanoTime() - added)));
		awaitCalls(Stream.concat(replicas.stream(), Stream.of(fourth)).toList(), retrying, plain);
		stop(retrying, plain);
		note("fourth replica", retrying, plain);
		assertThat(retrying.failures()).as("%s", retrying.lastFailure()).isZero();
		assertThat(plain.failures()).as("%s", plain.lastFailure()).isZero();
	}

	private static CompletableFuture<Throwable> openStream(Channel channel) {
		CompletableFuture<Throwable> ended = new CompletableFuture<>();
		List<String> received = new CopyOnWriteArrayList<>();
		ClientCalls.asyncServerStreamingCall(channel.newCall(Shop.SERVER_STREAM, CallOptions.DEFAULT), "x",
				new StreamObserver<>() {

					@Override
					public void onNext(String value) {
						received.add(value);
					}

					@Override
					public void onError(Throwable thrown) {
						ended.complete(thrown);
					}

					@Override
					public void onCompleted() {
						ended.completeExceptionally(new AssertionError("completed"));
					}

				});
		await().atMost(PATIENCE).until(() -> received.size() == 1);
		return ended;
	}

	/** Each of these has answered calls of each load since. */
	private static void awaitCalls(List<Replica> replicas, Load... loads) {
		for (Load load : loads) {
			for (Replica replica : replicas) {
				long before = load.answersOf(replica.name());
				await().atMost(PATIENCE).until(() -> load.answersOf(replica.name()) > before + 20);
			}
		}
	}

	private static void stop(Load... loads) throws InterruptedException {
		for (Load load : loads) {
			load.stop();
		}
	}

	private static void note(String what, Load retrying, Load plain) {
		Measured.note("fleet: %s: with retry: %s; without: %s".formatted(what, retrying, plain));
	}

	private static void noteRecovery(String what, long since, Load load) {
		long last = (load.failures() > 0) ? millis(load.lastFailureNanos() - since) : 0;
		Measured
			.note("fleet: %s: last call failed after %d ms, %s".formatted(what, last, load.lastFailure().getCode()));
	}

	private static long millis(long nanos) {
		return TimeUnit.NANOSECONDS.toMillis(nanos);
	}

}
