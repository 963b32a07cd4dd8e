package io.github.grpcresilience.frameworks;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Calls whose deadlines pass at every moment of their work.
 *
 * @param calls how many
 * @param atOnce how many of them at a time
 * @param mostMillis longest deadline
 */
record Soak(int calls, int atOnce, int mostMillis) {

	private static final long SEED = 20_240_607;

	/**
	 * Makes the calls and waits for their handlers. Some must have ended before they were
	 * answered, and some not, or it was no test.
	 */
	void run(App app, String request) throws Exception {
		ExecutorService callers = Executors.newFixedThreadPool(this.atOnce);
		try {
			Random random = new Random(SEED);
			List<Future<Status.Code>> ends = new ArrayList<>();
			for (int i = 0; i < this.calls; i++) {
				int millis = 1 + random.nextInt(this.mostMillis);
				ends.add(callers.submit(() -> app.code(request, millis)));
			}
			List<Status.Code> codes = new ArrayList<>();
			for (Future<Status.Code> end : ends) {
				codes.add(end.get(60, TimeUnit.SECONDS));
			}
			assertThat(codes).contains(Status.Code.OK, Status.Code.DEADLINE_EXCEEDED);
		}
		finally {
			callers.shutdown();
		}
		app.awaitIdle();
	}

}
