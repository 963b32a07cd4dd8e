package io.github.grpcresilience.autoconfigure.edge.reactive;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;

import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.ZeroCopyHttpOutputMessage;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A response that knows whether its answer was there before its time was up. If so, what
 * is done before it is committed, such as saving the session in a database, is not to
 * stop with the budget, and neither is the answer. Safe for concurrent use.
 */
class EdgeCommit extends ServerHttpResponseDecorator {

	private final AtomicReference<State> state = new AtomicReference<>(State.OPEN);

	private EdgeCommit(ServerHttpResponse response) {
		super(response);
	}

	/**
	 * Puts it around a response, which keeps what it can do.
	 */
	static EdgeCommit of(ServerHttpResponse response) {
		return (response instanceof ZeroCopyHttpOutputMessage files) ? new OfFiles(response, files)
				: new EdgeCommit(response);
	}

	/**
	 * The budget is over. Decides whether that ends the response.
	 * @return {@code false} if the answer was there, and is about to be written
	 */
	final boolean end() {
		return this.state.compareAndSet(State.OPEN, State.ENDED) || this.state.get() != State.ANSWERED;
	}

	/**
	 * Whether the head of the answer was sent, and the rest of it is.
	 */
	final boolean isWriting() {
		return this.state.get() == State.WRITING;
	}

	/**
	 * Here is the answer, the first part of it at least.
	 * @return {@code false} if it comes too late, and another one is being given
	 */
	private boolean answer() {
		if (this.state.compareAndSet(State.OPEN, State.ANSWERED)) {
			// Comes last: all others are registered by now.
			beforeCommit(() -> Mono.fromRunnable(() -> this.state.set(State.WRITING)));
		}
		return this.state.get() != State.ENDED;
	}

	/**
	 * The part is not heard if it comes too late: who has asked for it is being
	 * cancelled.
	 */
	private <T> Publisher<T> answer(Publisher<T> body) {
		return (body instanceof Mono<T> mono) ? mono.filter((part) -> answer())
				: Flux.from(body).filter((part) -> answer());
	}

	final Mono<Void> answer(Mono<Void> writing) {
		return Mono.defer(() -> answer() ? writing : Mono.never());
	}

	@Override
	public final Mono<Void> writeWith(Publisher<? extends DataBuffer> body) {
		return super.writeWith(answer(body));
	}

	@Override
	public final Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> body) {
		return super.writeAndFlushWith(answer(body));
	}

	@Override
	public final Mono<Void> setComplete() {
		return answer(Mono.defer(super::setComplete));
	}

	private enum State {

		/** Nothing was answered. */
		OPEN,

		/** The answer is there, and about to be committed. */
		ANSWERED,

		/** The answer is committed. */
		WRITING,

		/** The budget was over before there was an answer. */
		ENDED

	}

	/** Sends files without reading them. */
	private static final class OfFiles extends EdgeCommit implements ZeroCopyHttpOutputMessage {

		private final ZeroCopyHttpOutputMessage files;

		OfFiles(ServerHttpResponse response, ZeroCopyHttpOutputMessage files) {
			super(response);
			this.files = files;
		}

		@Override
		public Mono<Void> writeWith(Path file, long position, long count) {
			return answer(Mono.defer(() -> this.files.writeWith(file, position, count)));
		}

	}

}
