package io.github.grpcresilience.internal.cancel.http;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.TestCall;
import io.github.grpcresilience.event.Work;
import io.github.grpcresilience.event.WorkCounts.Sums;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CallExchangeTests {

	private final GrpcResilience resilience = GrpcResilience.builder().build();

	private final TestCall call = TestCall.begin();

	private final ExecutorService other = Executors.newSingleThreadExecutor();

	@AfterEach
	void close() {
		this.call.close();
		this.other.shutdownNow();
		this.resilience.close();
	}

	@Test
	void noExchangeBeginsOutsideOfACall() throws Exception {
		assertThat(this.resilience.work().httpExchanges().begin()).isNull();
	}

	@Test
	void exchangeIsFoundWhileItsRequestIsSent() throws Exception {
		CallExchange exchange = begin();
		List<LogRecord> complaints = new ArrayList<>();
		Handler listening = new Handler() {

			@Override
			public void publish(LogRecord complaint) {
				complaints.add(complaint);
			}

			@Override
			public void flush() {
			}

			@Override
			public void close() {
			}

		};
		Logger.getLogger("io.grpc").addHandler(listening);
		try {
			assertThat(exchange.call(CallExchange::findCurrent, (thread) -> true)).containsSame(exchange);
		}
		finally {
			Logger.getLogger("io.grpc").removeHandler(listening);
		}
		assertThat(CallExchange.findCurrent()).isEmpty();
		assertThat(complaints).isEmpty();
	}

	@Test
	void interruptWaitsUntilItDoesNoHarm() throws Exception {
		CallExchange exchange = begin();
		AtomicInteger asked = new AtomicInteger();
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> exchange.call(() -> {
			this.other.execute(() -> this.call.abandon());
			try {
				new CountDownLatch(1).await();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new IOException(ex);
			}
			return "answer";
		}, (thread) -> asked.incrementAndGet() == 4))
			.satisfies((ex) -> assertThat(Status.fromThrowable(ex).getCode()).isEqualTo(Status.Code.CANCELLED));
		assertThat(asked).hasValue(4);
		assertThat(Thread.interrupted()).isFalse();
	}

	@Test
	void interruptThatComesTooLateLeavesNoTrace() throws Exception {
		CallExchange exchange = begin();
		String answer = exchange.call(() -> {
			this.call.abandon();
			while (!Thread.currentThread().isInterrupted()) {
				Thread.onSpinWait();
			}
			return "answer";
		}, (thread) -> true);
		assertThat(answer).isEqualTo("answer");
		assertThat(Thread.interrupted()).isFalse();
	}

	@Test
	void requestOfAStoppedExchangeIsNotSent() throws Exception {
		CallExchange exchange = begin();
		this.call.abandon();
		AtomicInteger sent = new AtomicInteger();
		assertThatExceptionOfType(IOException.class)
			.isThrownBy(() -> exchange.call(sent::incrementAndGet, (thread) -> true));
		assertThat(sent).hasValue(0);
	}

	@Test
	void stopsRunOnceEachOnAnotherThread() throws Exception {
		CallExchange exchange = begin();
		CountDownLatch early = new CountDownLatch(1);
		CountDownLatch late = new CountDownLatch(1);
		List<Thread> threads = new ArrayList<>();
		exchange.stopWith(() -> {
			threads.add(Thread.currentThread());
			early.countDown();
		});
		this.call.abandon();
		exchange.stopWith(late::countDown);
		assertThat(early.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(late.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(threads).hasSize(1).doesNotContain(Thread.currentThread());
		assertThat(counts()).isEqualTo(new Sums(0, 1, 0));
	}

	@Test
	void closedExchangeIsNotStopped() throws Exception {
		CallExchange exchange = begin();
		AtomicInteger stops = new AtomicInteger();
		exchange.stopWith(stops::incrementAndGet);
		exchange.close();
		exchange.close();
		this.call.abandon();
		assertThat(exchange.isStopped()).isFalse();
		assertThat(stops).hasValue(0);
		assertThat(counts()).isEqualTo(new Sums(0, 0, 0));
	}

	@Test
	void bodyThatIsCutOffIsNotTakenForACompleteOne() throws Exception {
		CallExchange exchange = begin();
		ByteArrayInputStream closedUnderneath = new ByteArrayInputStream(new byte[0]) {

			@Override
			public synchronized int read(byte[] target, int offset, int length) {
				CallExchangeTests.this.call.abandon();
				return super.read(target, offset, length);
			}

		};
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> exchange.guard(closedUnderneath).readAllBytes());
	}

	private CallExchange begin() throws Exception {
		return this.call.call(() -> this.resilience.work().httpExchanges().begin());
	}

	private Sums counts() {
		return this.resilience.inspection().stoppedWork().sums(Work.HTTP_EXCHANGE);
	}

}
