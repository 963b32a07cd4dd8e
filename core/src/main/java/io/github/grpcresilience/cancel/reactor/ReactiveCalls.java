package io.github.grpcresilience.cancel.reactor;

import java.util.function.BiConsumer;
import java.util.function.Supplier;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.util.context.ContextView;

import io.github.grpcresilience.internal.call.CallScope;
import io.github.grpcresilience.internal.call.ServedCall;
import io.github.grpcresilience.internal.cancel.context.CallScopeAccessor;

/**
 * Calls of grpc-java's stubs as publishers, and publishers as answers to calls. Each
 * subscription makes one call, for the call in which it is subscribed to, on whatever
 * thread; a subscription that is disposed cancels it.
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
			ListenableFuture<T> future = inScope(sink, sink.contextView(), call);
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
			inScope(sink, sink.contextView(), () -> {
				method.accept(request, responses);
				return true;
			});
			sink.onCancel(responses::cancel);
			sink.onRequest(responses::request);
		});
	}

	/**
	 * Answers a call with what a publisher emits, as fast as the caller takes it. What is
	 * subscribed to here is disposed when the call has ended. Called in a handler, before
	 * it returns; sets the handlers of the observer for readiness and cancellation.
	 * @param responses the responses, one at most for a call that has one; an error fails
	 * the call
	 * @param observer where the handler answers
	 * @param <T> type of the responses
	 */
	public static <T> void answer(Publisher<? extends T> responses, StreamObserver<T> observer) {
		AnsweringSubscriber<T> subscriber = new AnsweringSubscriber<>(observer);
		subscriber.prepare();
		Flux.from(responses).subscribe(subscriber);
	}

	/**
	 * Makes a call for the call that Reactor's context holds, where the thread does not
	 * know it. What is kept for others sees no call, neither ours nor gRPC's, so that it
	 * is not short of time because the first of them was.
	 */
	private static <T> T inScope(Object sink, ContextView context, Supplier<? extends T> call) {
		if (CallSubscriptions.isEnforced() && Audience.ofChain(sink) == Audience.OTHERS) {
			Context values = Context.current().fork().withValue(ServedCall.KEY, null);
			return in(CallScope.nobody(), () -> in(values, call));
		}
		CallScope held = context.getOrDefault(CallScopeAccessor.KEY, null);
		return (held == null || CallScope.current() != null) ? call.get() : in(held.carriedAway(), call);
	}

	private static <T> T in(CallScope scope, Supplier<? extends T> call) {
		CallScope outer = scope.enter();
		try {
			return call.get();
		}
		finally {
			CallScope.leave(outer);
		}
	}

	private static <T> T in(Context context, Supplier<? extends T> call) {
		Context previous = context.attach();
		try {
			return call.get();
		}
		finally {
			context.detach(previous);
		}
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
