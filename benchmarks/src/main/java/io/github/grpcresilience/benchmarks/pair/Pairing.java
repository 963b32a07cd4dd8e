package io.github.grpcresilience.benchmarks.pair;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.benchmarks.pair.Meter.Usage;

/**
 * Variants that take turns in this JVM. Each batch has a batch with nothing but a
 * deadline beside it, before or after; only the two are compared, so what else goes on
 * meanwhile meets both. Their order, and that of the variants, changes from round to
 * round.
 */
final class Pairing implements AutoCloseable {

	/** Of the pool that handlers run on. */
	private static final int THREADS = 2;

	private static final int FEWEST_ROUNDS = 3;

	private final Scenario scenario;

	private final int calls;

	private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);

	private final Meter meter = new Meter();

	private final Participant base;

	private final List<Participant> participants = new ArrayList<>();

	Pairing(Scenario scenario, List<Contender> contenders, int wantedCalls) {
		this.scenario = scenario;
		this.calls = scenario.shape().callsPerBatch(scenario.transport().callsPerBatch(wantedCalls));
		this.base = new Participant("base", Contender.BASE);
		contenders.forEach((contender) -> this.participants.add(new Participant(contender.name(), contender)));
	}

	/**
	 * Compares.
	 * @param warmUpSeconds how long batches do not count, for each variant
	 * @param seconds how long batches count, for each variant
	 * @return the medians of each variant
	 */
	List<Outcome> run(double warmUpSeconds, double seconds) {
		int warmUp = rounds(0, warmUpSeconds, false);
		rounds(warmUp, seconds, true);
		return this.participants.stream().map(Participant::outcome).toList();
	}

	private int rounds(int first, double seconds, boolean count) {
		long end = System.nanoTime() + (long) (seconds * this.participants.size() * 1e9);
		int round = first;
		while (System.nanoTime() < end || round < first + FEWEST_ROUNDS) {
			round(round, count);
			round++;
		}
		return round;
	}

	private void round(int round, boolean counts) {
		for (int i = 0; i < this.participants.size(); i++) {
			int index = (i + round) % this.participants.size();
			Participant participant = this.participants.get(index);
			boolean first = (index + round) % 2 == 0;
			Usage before = first ? participant.batch() : this.base.batch();
			Usage after = first ? this.base.batch() : participant.batch();
			if (counts) {
				participant.compare(first ? before : after, first ? after : before);
			}
		}
	}

	@Override
	public void close() {
		this.participants.forEach(Participant::close);
		this.base.close();
		this.executor.shutdownNow();
	}

	private final class Participant {

		private final String name;

		private final Rig rig;

		private final @Nullable OpenCalls open;

		private final List<Outcome> pairs = new ArrayList<>();

		Participant(String rigName, Contender contender) {
			this.name = contender.name();
			this.rig = new Rig("pair-" + rigName, Pairing.this.scenario.transport(), contender.variant().get(),
					Pairing.this.executor);
			this.open = Pairing.this.scenario.busy() ? new OpenCalls(this.rig.channel()) : null;
		}

		Usage batch() {
			if (this.open != null) {
				this.open.beforeBatch();
			}
			Meter.Reading before = Pairing.this.meter.read();
			Pairing.this.scenario.shape().run(this.rig, Pairing.this.calls);
			Usage usage = Pairing.this.meter.read().since(before).perCall(Pairing.this.calls);
			if (this.open != null) {
				this.open.afterBatch();
			}
			return usage;
		}

		void compare(Usage own, Usage base) {
			this.pairs.add(new Outcome(this.name, own.cpuNanos() / base.cpuNanos(), own.bytes() - base.bytes(),
					own.cpuNanos(), own.bytes()));
		}

		Outcome outcome() {
			return new Outcome(this.name, Outcome.median(this.pairs, Outcome::cpuRatio),
					Outcome.median(this.pairs, Outcome::bytesMore), Outcome.median(this.pairs, Outcome::cpuNanos),
					Outcome.median(this.pairs, Outcome::bytes));
		}

		void close() {
			this.rig.close();
		}

	}

}
