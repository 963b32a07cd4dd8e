package io.github.grpcresilience.benchmarks.pair;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Where calls are measured.
 *
 * @param transport how they come to the server
 * @param shape what they look like
 * @param busy whether the timers of deadlines have other things to do
 */
record Scenario(Transport transport, Shape shape, boolean busy) {

	private static final Shape UNARY = new Shape.Unary();

	private static final Shape STREAM = new Shape.Stream();

	static final List<Scenario> SHORT = List.of(new Scenario(Transport.DIRECT, UNARY, true),
			new Scenario(Transport.DIRECT, STREAM, true));

	static final List<Scenario> FULL = List.of(new Scenario(Transport.DIRECT, UNARY, true),
			new Scenario(Transport.DIRECT, UNARY, false), new Scenario(Transport.DIRECT, STREAM, true),
			new Scenario(Transport.POOL, UNARY, true), new Scenario(Transport.NETTY, UNARY, true),
			new Scenario(Transport.NETTY, STREAM, true));

	static final List<Scenario> OF_PEERS = List.of(FULL.get(0), FULL.get(2), FULL.get(3), FULL.get(4));

	/** Over Netty only one: where many calls share a system call, ours can be seen. */
	static final List<Scenario> TOGETHER = Stream
		.concat(Stream.of(1, 10, 100, 1000).map((number) -> together(Transport.POOL, number)),
				Stream.of(together(Transport.NETTY, 100)))
		.toList();

	private static Scenario together(Transport transport, int number) {
		return new Scenario(transport, new Shape.Together(number), true);
	}

	private static Stream<Scenario> all() {
		return Stream.concat(Stream.of(Transport.values())
			.flatMap((transport) -> Stream.of(UNARY, STREAM)
				.flatMap((shape) -> Stream.of(true, false).map((busy) -> new Scenario(transport, shape, busy)))),
				TOGETHER.stream());
	}

	static Scenario named(String name) {
		return all().filter((scenario) -> scenario.name().equals(name))
			.findFirst()
			.orElseThrow(() -> new IllegalArgumentException(
					"scenario " + name + " is none of " + all().map(Scenario::name).toList()));
	}

	String name() {
		return this.transport.name().toLowerCase(Locale.ROOT) + "/" + this.shape.title().replace(' ', '-') + "/"
				+ (this.busy ? "busy" : "idle");
	}

}
