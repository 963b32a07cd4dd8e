package io.github.grpcresilience.internal.cancel.jdbc;

import java.lang.ref.WeakReference;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Status;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Measured;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.internal.call.CallRecord;
import io.github.grpcresilience.internal.call.CallScope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Short statements and cancels that race at every moment. After each statement of a call
 * comes one that belongs to no call, on the same connection: the cancel of the first must
 * never hit the second.
 */
class StatementSoakTests {

	private static final int STATEMENTS = Integer.getInteger("soak.statements", 10_000);

	private static final int THREADS = 4;

	private static final int SEED = 20_260_311;

	private final AtomicInteger leftBehind = new AtomicInteger();

	private final Queue<SQLException> lostConnections = new ConcurrentLinkedQueue<>();

	private final AtomicInteger stopped = new AtomicInteger();

	private final Queue<WeakReference<CallRecord>> records = new ConcurrentLinkedQueue<>();

	@OnMariaDb
	void everyStatementThatIsNotCancelledHasItsOwnResultOnMariaDb(Database database) throws Exception {
		everyStatementThatIsNotCancelledHasItsOwnResult(database);
	}

	@OnEmbeddedDatabases
	void everyStatementThatIsNotCancelledHasItsOwnResult(Database database) throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(THREADS + 1);
		BlockingQueue<Leaving> leaving = new LinkedBlockingQueue<>();
		try (GrpcResilience resilience = GrpcResilience.builder().build();
				HikariDataSource pool = database.pool(THREADS)) {
			DataSource dataSource = resilience.work().dataSource(pool);
			CompletableFuture<Void> leaver = CompletableFuture.runAsync(() -> leave(leaving), threads);
			List<CompletableFuture<Void>> workers = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				Random random = new Random(SEED + i);
				boolean inTransactions = i % 2 == 0;
				workers.add(CompletableFuture
					.runAsync(() -> work(database, dataSource, inTransactions, random, leaving), threads));
			}
			CompletableFuture.allOf(workers.toArray(CompletableFuture<?>[]::new)).get(5, TimeUnit.MINUTES);
			leaving.add(Leaving.LAST);
			leaver.get(20, TimeUnit.SECONDS);
			await().until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
			assertThat(this.lostConnections)
				.hasSizeLessThanOrEqualTo((int) resilience.inspection().stoppedWork().sums(Work.STATEMENT).aborted());
			assertThat(resilience.inspection().stoppedWork().sums(Work.STATEMENT).cancelled()).isPositive();
			assertThat(this.stopped.get()).isPositive();
			assertThat(this.leftBehind.get()).isZero();
			Measured.note("soak of " + STATEMENTS + " on " + database + ": "
					+ resilience.inspection().stoppedWork().sums(Work.STATEMENT) + ", stopped " + this.stopped
					+ ", connections lost " + this.lostConnections.size());
			await().until(() -> resilience.inspection().pendingTimeouts() == 0);
			await().untilAsserted(this::assertNoCallIsHeld);
		}
		finally {
			threads.shutdownNow();
		}
	}

	private void work(Database database, DataSource dataSource, boolean inTransactions, Random random,
			Queue<Leaving> leaving) {
		int done = 0;
		while (done < STATEMENTS / THREADS) {
			try (Connection connection = dataSource.getConnection(); Echo echo = new Echo(database, connection)) {
				connection.setAutoCommit(!inTransactions);
				for (; done < STATEMENTS / THREADS; done++) {
					boolean stops = inCall(database, echo, random, leaving, done);
					if (stops && inTransactions && database.endsTransactionWithStatement()) {
						connection.rollback();
					}
					long value = random.nextLong();
					assertThat(echo.select(value)).isEqualTo(value);
					if (stops && inTransactions) {
						connection.rollback();
					}
				}
			}
			catch (SQLException ex) {
				// A cancel took so long that its connection was given up; never
				// cancelled.
				assertThat(ex.getSQLState()).as(() -> ex.toString()).isNotEqualTo("57014");
				this.lostConnections.add(ex);
			}
		}
	}

	/**
	 * Whether the statement was stopped.
	 */
	private boolean inCall(Database database, Echo echo, Random random, Queue<Leaving> leaving, int number)
			throws SQLException {
		TestCall call = TestCall.begin();
		if (number % 100 == 0) {
			this.records.add(new WeakReference<>(call.record()));
		}
		if (random.nextInt(4) == 0) {
			leaving.add(new Leaving(call, System.nanoTime() + random.nextInt(300_000)));
		}
		boolean stops = false;
		long value = random.nextLong();
		CallScope outer = call.scope().enter();
		try {
			assertThat(echo.select(value)).isEqualTo(value);
			if (number % 16 == 0) {
				database.keepBusy(echo.connection, 1);
			}
		}
		catch (SQLException ex) {
			if (!call.record().hasEnded()) {
				throw ex;
			}
			assertThat(Status.fromThrowable(ex).getCode()).as(() -> ex.toString()).isEqualTo(Status.Code.CANCELLED);
			this.stopped.incrementAndGet();
			stops = true;
			if (database == Database.SQLITE) {
				// Its driver has finalized what was stopped, and does not say so.
				echo.prepare();
			}
		}
		finally {
			CallScope.leave(outer);
		}
		this.leftBehind.addAndGet(call.listeners());
		call.close();
		return stops;
	}

	private static void leave(BlockingQueue<Leaving> leaving) {
		try {
			for (Leaving next = leaving.take(); !next.equals(Leaving.LAST); next = leaving.take()) {
				while (System.nanoTime() - next.atNanos() < 0) {
					Thread.onSpinWait();
				}
				next.call().abandon();
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private void assertNoCallIsHeld() {
		System.gc();
		assertThat(this.records.stream().filter((reference) -> reference.get() != null).count())
			.isLessThanOrEqualTo(THREADS);
	}

	/**
	 * A statement that is executed time and again, as long as it stays open.
	 */
	private static final class Echo implements AutoCloseable {

		private final String sql;

		private final Connection connection;

		private PreparedStatement statement;

		Echo(Database database, Connection connection) throws SQLException {
			this.sql = database.echoSql();
			this.connection = connection;
			this.statement = connection.prepareStatement(this.sql);
		}

		void prepare() throws SQLException {
			this.statement.close();
			this.statement = this.connection.prepareStatement(this.sql);
		}

		long select(long value) throws SQLException {
			if (this.statement.isClosed()) {
				this.statement = this.connection.prepareStatement(this.sql);
			}
			this.statement.setLong(1, value);
			try (ResultSet rows = this.statement.executeQuery()) {
				rows.next();
				return rows.getLong(1);
			}
		}

		@Override
		public void close() throws SQLException {
			this.statement.close();
		}

	}

	private record Leaving(TestCall call, long atNanos) {

		static final Leaving LAST = new Leaving(null, 0);

	}

}
