package io.github.grpcresilience.internal.error;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.Status;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class JdkErrorsTests {

	private final JdkErrors errors = new JdkErrors();

	@Test
	void timeIsUpWhereAFutureWasNotDone() {
		Throwable thrown = catchThrowable(() -> new CompletableFuture<>().get(1, TimeUnit.NANOSECONDS));
		assertThat(thrown).isInstanceOf(TimeoutException.class);
		assertTimeout(thrown);
	}

	@Test
	void timeIsUpWhereASocketWasSilent() throws IOException {
		try (ServerSocket silent = new ServerSocket(0, 7, InetAddress.getLoopbackAddress());
				Socket socket = new Socket(silent.getInetAddress(), silent.getLocalPort())) {
			socket.setSoTimeout(1);
			Throwable thrown = catchThrowable(() -> socket.getInputStream().read());
			assertThat(thrown).isInstanceOf(SocketTimeoutException.class);
			assertTimeout(thrown);
		}
	}

	@Test
	void timeIsUpWhereAnHttpPeerWasSilent() throws IOException {
		try (ServerSocket silent = new ServerSocket(0, 7, InetAddress.getLoopbackAddress())) {
			HttpRequest request = HttpRequest
				.newBuilder(URI.create("http://127.0.0.1:" + silent.getLocalPort() + "/secret"))
				.timeout(Duration.ofMillis(7))
				.build();
			Throwable thrown = catchThrowable(
					() -> HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding()));
			assertThat(thrown).isInstanceOf(HttpTimeoutException.class);
			assertTimeout(thrown);
		}
	}

	@Test
	void whoCancelledAFutureIsNotKnown() {
		CompletableFuture<Object> future = new CompletableFuture<>();
		future.cancel(true);
		Throwable thrown = catchThrowable(future::join);
		assertThat(thrown).isInstanceOf(CancellationException.class);
		assertThat(Answers.map(this.errors, thrown)).isNull();
	}

	/** By a server that stops, and not by the caller, who may try elsewhere. */
	@Test
	void interruptedWorkWasNotCancelledByItsCaller() {
		assertAnswer(new InterruptedException("secret"), Status.Code.UNAVAILABLE, "INTERRUPTED");
	}

	@Test
	void fullExecutorIsExhausted() throws Exception {
		CountDownLatch done = new CountDownLatch(1);
		ExecutorService executor = new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new SynchronousQueue<>());
		try {
			executor.execute(() -> {
				try {
					done.await();
				}
				catch (InterruptedException ex) {
					Thread.currentThread().interrupt();
				}
			});
			Throwable thrown = catchThrowable(() -> executor.execute(() -> {
			}));
			assertAnswer(thrown, Status.Code.RESOURCE_EXHAUSTED, "EXECUTOR_FULL");
			assertThat(GrpcErrors.from(Answers.map(this.errors, thrown)).retryDelay()).hasValue(Duration.ofSeconds(1));
			assertAnswer(new RejectedExecutionException(), Status.Code.RESOURCE_EXHAUSTED, "EXECUTOR_FULL");
		}
		finally {
			done.countDown();
			executor.shutdown();
		}
		assertAnswer(catchThrowable(() -> executor.execute(() -> {
		})), Status.Code.UNAVAILABLE, "SHUTTING_DOWN");
	}

	@Test
	void defectsAreNotMapped() {
		assertThat(Answers.map(this.errors, new UnsupportedOperationException())).isNull();
		assertThat(Answers.map(this.errors, new IllegalArgumentException())).isNull();
		assertThat(Answers.map(this.errors, new IOException())).isNull();
		assertThat(Answers.map(this.errors, new StackOverflowError())).isNull();
	}

	private void assertTimeout(Throwable thrown) {
		GrpcError error = Answers.map(this.errors, thrown);
		assertThat(error.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(error.reason()).isEqualTo("TIMEOUT");
		assertThat(Answers.text(error)).doesNotContain("secret", "java.", "Read timed out");
	}

	private void assertAnswer(Throwable thrown, Status.Code code, String reason) {
		GrpcError error = Answers.map(this.errors, thrown);
		assertThat(error.code()).isEqualTo(code);
		assertThat(error.reason()).isEqualTo(reason);
		assertThat(Answers.text(error)).doesNotContain("secret", "java.");
	}

}
