package io.github.grpcresilience.fleet;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Runs where {@code blackhole.sh} has made a network: a replica at the far end of it, one
 * at the near end, and calls to both while the network swallows what goes there, what
 * comes from there, or both.
 */
public final class Blackhole {

	private static final String NOWHERE = "02:00:00:00:00:99";

	private static final Duration PATIENCE = Duration.ofMinutes(1);

	private static final Duration DEADLINE = Duration.ofSeconds(1);

	private static final int PER_SECOND = 100;

	private static final int MOST_IN_FLIGHT = 1_000;

	/** As many calls as take longer than one may fail. */
	private static final int CALM = 2 * PER_SECOND;

	private Blackhole() {
	}

	/**
	 * Tells how long calls failed, in milliseconds.
	 * @param args what is swallowed: requests, answers, both
	 */
	public static void main(String... args) throws Exception {
		boolean requests = !args[0].equals("answers");
		boolean answers = !args[0].equals("requests");
		try (Fleet fleet = new Fleet()) {
			Duration limit = Duration.ofSeconds(1);
			fleet.start(new Replica("far", new InetSocketAddress("10.77.0.2", 9090),
					List.of("ip", "netns", "exec", "peer"), limit, Duration.ZERO));
			fleet.start(new Replica("near", limit, Duration.ZERO));
			Load load = fleet.load(Fleet.PLAIN, PER_SECOND, MOST_IN_FLIGHT, DEADLINE);
			awaitAnswersOf(load, "far", "near");
			awaitCalm(load);
			long failuresBefore = load.failures();
			long begin = System.nanoTime();
			if (requests) {
				run("ip", "neigh", "replace", "10.77.0.2", "lladdr", NOWHERE, "dev", "near", "nud", "permanent");
			}
			if (answers) {
				run("ip", "-n", "peer", "neigh", "replace", "10.77.0.1", "lladdr", NOWHERE, "dev", "far", "nud",
						"permanent");
			}
			await().atMost(PATIENCE).until(() -> load.failures() > failuresBefore);
			awaitCalm(load);
			System.out.println("left " + TimeUnit.NANOSECONDS.toMillis(load.lastFailureNanos() - begin));
			System.out.println("seen " + load + ", " + load.lastFailure().getCode());
			awaitAnswersOf(load, "near");
			run("ip", "neigh", "flush", "dev", "near", "nud", "permanent");
			run("ip", "-n", "peer", "neigh", "flush", "dev", "far", "nud", "permanent");
			awaitAnswersOf(load, "far", "near");
			load.stop();
			System.out.println("back");
		}
	}

	private static void awaitCalm(Load load) {
		await().atMost(PATIENCE).until(() -> load.sentSinceLastFailure() > CALM);
	}

	private static void awaitAnswersOf(Load load, String... replicas) {
		for (String replica : replicas) {
			long before = load.answersOf(replica);
			await().atMost(PATIENCE).until(() -> load.answersOf(replica) > before + 20);
		}
	}

	private static void run(String... command) throws IOException, InterruptedException {
		assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).as("%s", List.of(command)).isZero();
	}

}
