package io.github.grpcresilience.benchmarks.pair;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.github.grpcresilience.benchmarks.floor.Floor;
import io.github.grpcresilience.benchmarks.peer.ConcurrencyLimits;
import io.github.grpcresilience.benchmarks.peer.Gax;
import io.github.grpcresilience.benchmarks.peer.Micrometer;
import io.github.grpcresilience.benchmarks.peer.NativeRetry;
import io.github.grpcresilience.benchmarks.peer.Resilience4j;
import io.github.grpcresilience.benchmarks.peer.Sentinel;
import io.github.grpcresilience.benchmarks.variant.Ours;
import io.github.grpcresilience.benchmarks.variant.Plain;
import io.github.grpcresilience.benchmarks.variant.TwoServers;
import io.github.grpcresilience.benchmarks.variant.Variant;

/**
 * A variant that can be asked for by name.
 *
 * @param name its name
 * @param variant creates it
 */
record Contender(String name, Supplier<Variant> variant) {

	/** What all are compared with, and what should come out as 1.00 and 0 bytes. */
	static final Contender BASE = new Contender("BD", () -> Plain.DEADLINE);

	static final List<Contender> SHORT = List.of(new Contender("defaults", Ours::defaults),
			new Contender("everything", Ours::everything));

	/** This library, grpc-java alone, and the floors. */
	static final List<Contender> OURS = List.of(new Contender("bare", () -> Plain.BARE), BASE,
			new Contender("no-retry-layer", () -> Plain.NO_RETRY_LAYER), new Contender("client", Ours::client),
			new Contender("server", Ours::server), new Contender("defaults", Ours::defaults),
			new Contender("cap", Ours::cap), new Contender("retry", Ours::retry), new Contender("hedge", Ours::hedge),
			new Contender("everything", Ours::everything), new Contender("floor-client", Floor::client),
			new Contender("floor-server", Floor::server), new Contender("floor", Floor::both),
			new Contender("floor-cap", Floor::cap), new Contender("floor-retry", Floor::retry));

	/** Over a network only. */
	static final List<Contender> BALANCED = List.of(new Contender("two-servers", () -> new TwoServers(false)),
			new Contender("two-servers-watched", () -> new TwoServers(true)));

	/** In JVMs of their own, so that they do not decide how ours is compiled. */
	static final List<Contender> PEERS = List.of(new Contender("native-retry", NativeRetry::new),
			new Contender("resilience4j", Resilience4j::new), new Contender("gax", Gax::new),
			new Contender("sentinel", Sentinel::new), new Contender("concurrency-limits", ConcurrencyLimits::new),
			new Contender("micrometer", Micrometer::new));

	static final List<Contender> POLICIES = Stream.of(1, 100, 10_000)
		.map((number) -> new Contender("policies-" + number, () -> Ours.policies(number)))
		.toList();

	static Contender named(String name) {
		List<Contender> all = Stream.of(OURS, BALANCED, PEERS, POLICIES).flatMap(List::stream).toList();
		return all.stream()
			.filter((contender) -> contender.name().equals(name))
			.findFirst()
			.orElseThrow(() -> new IllegalArgumentException(
					"variant " + name + " is none of " + all.stream().map(Contender::name).toList()));
	}

}
