package io.github.grpcresilience.cancel.reactor;

import java.util.function.BiConsumer;
import java.util.function.Supplier;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/**
 * Calls of grpc-java's stubs as publishers. Each subscription makes one call, in the
 * {@code Context} of whoever subscribes; a subscription that is disposed cancels it.
 */
public final class ReactiveCalls {

	private ReactiveCalls() {
	}

	/**
	 * A call with one request and one response.
	 * @param call makes the call, such as {@code () -> futureStub.get(request)}
	 * @param <T> type of the response
	 * @return the response; an error with the status of the call
	 */
	public static <T> Mono<T> unary(Supplier<? extends ListenableFuture<T>> call) {
		return Mono.create((sink) -> {
			ListenableFuture<T> future = call.get();
			sink.onCancel(() -> future.cancel(true));
			Futures.addCallback(future, new Response<>(sink), MoreExecutors.directExecutor());
		});
	}

	/**
	 * A call with one request and any number of responses. The server sends no more than
	 * the subscriber requests.
	 * @param request the request
	 * @param method the method of an async stub, such as {@code asyncStub::watch}
	 * @param <ReqT> type of the request
	 * @param <RespT> type of the responses
	 * @return the responses; an error with the status of the call
	 */
	public static <ReqT, RespT> Flux<RespT> serverStreaming(ReqT request,
			BiConsumer<ReqT, StreamObserver<RespT>> method) {
		return Flux.create((sink) -> {
			ResponseStream<ReqT, RespT> responses = new ResponseStream<>(sink);
			method.accept(request, responses);
			sink.onCancel(responses::cancel);
			sink.onRequest(responses::request);
		});
	}

	private record Response<T>(MonoSink<T> sink) implements FutureCallback<T> {

		@Override
		public void onSuccess(@Nullable T response) {
			this.sink.success(response);
		}

		@Override
		public void onFailure(Throwable thrown) {
			this.sink.error(thrown);
		}

	}

}
