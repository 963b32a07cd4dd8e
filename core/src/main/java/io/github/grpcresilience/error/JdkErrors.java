package io.github.grpcresilience.error;

import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

import io.grpc.Status;

/**
 * What exceptions of the JDK mean: time that is up, and work that was cancelled.
 */
final class JdkErrors implements BuiltInErrors {

	static final String TIMEOUT = "TIMEOUT";

	static final String CANCELLED = "CANCELLED";

	@Override
	public List<ErrorMapper<?>> mappers() {
		List<ErrorMapper<?>> mappers = new ArrayList<>(
				List.of(ErrorMapper.of(TimeoutException.class, (thrown) -> timeout()),
						// Whoever read from the socket gave up waiting. The request may
						// have
						// been carried out, so not UNAVAILABLE, which is retried.
						ErrorMapper.of(SocketTimeoutException.class, (thrown) -> timeout()),
						ErrorMapper.of(InterruptedException.class, (thrown) -> cancelled())));
		if (ModuleLayer.boot().findModule("java.net.http").isPresent()) {
			mappers.add(ErrorMapper.of(HttpTimeoutException.class, (thrown) -> timeout()));
		}
		return List.copyOf(mappers);
	}

	private static GrpcError timeout() {
		return GrpcError.answer(Status.Code.DEADLINE_EXCEEDED)
			.reason(TIMEOUT)
			.message("the work did not end within the time that it was given");
	}

	private static GrpcError cancelled() {
		return GrpcError.answer(Status.Code.CANCELLED).reason(CANCELLED).message("the work was cancelled");
	}

}
