package io.github.grpcresilience.internal.cancel.jdbc;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import io.github.grpcresilience.TestCall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * What a call does with a database, until its caller leaves.
 */
record CallWork(TestCall call) {

	void run(Step step) throws Exception {
		this.call.call(() -> {
			step.run();
			return true;
		});
	}

	/**
	 * The caller leaves once the database is busy.
	 */
	SQLException stopWhileRunning(Database database, Step step) {
		CompletableFuture<Void> running = CompletableFuture
			.runAsync(() -> await().pollInterval(Duration.ofMillis(5)).until(() -> database.running() > 0));
		return stopOnce(running, step);
	}

	SQLException stopOnce(CompletableFuture<?> ready, Step step) {
		CompletableFuture<Void> left = ready.thenRun(this.call::abandon);
		SQLException thrown = catchThrowableOfType(SQLException.class, () -> run(step));
		assertThat((Throwable) thrown).isNotNull();
		left.join();
		return thrown;
	}

	@FunctionalInterface
	interface Step {

		void run() throws SQLException;

	}

}
