package io.github.grpcresilience.internal.attempt;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;

import io.github.grpcresilience.Shop;

/**
 * A service that does to each attempt what a script says, and the last step of the script
 * from then on. It knows every attempt that it has seen.
 */
final class ScriptedServer {

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final Metadata.Key<String> PREVIOUS = Metadata.Key.of("grpc-previous-rpc-attempts",
			Metadata.ASCII_STRING_MARSHALLER);

	static final Metadata.Key<String> ATTEMPT = Metadata.Key.of("attempt", Metadata.ASCII_STRING_MARSHALLER);

	private final Queue<Step> script = new ArrayDeque<>();

	private final List<Seen> seen = new CopyOnWriteArrayList<>();

	ScriptedServer(Step... steps) {
		this.script.addAll(List.of(steps));
	}

	/**
	 * Replaces what is left of the script.
	 */
	synchronized void play(Step... steps) {
		this.script.clear();
		this.script.addAll(List.of(steps));
	}

	ServerServiceDefinition service() {
		return ServerServiceDefinition.builder("test.v1.Shop")
			.addMethod(Shop.UNARY, handler())
			.addMethod(Shop.SERVER_STREAM, handler())
			.addMethod(Shop.CLIENT_STREAM, handler())
			.addMethod(Shop.BIDI, handler())
			.build();
	}

	List<Seen> seen() {
		return this.seen;
	}

	List<String> previousAttempts() {
		return this.seen.stream().map((attempt) -> String.valueOf(attempt.headers().get(PREVIOUS))).toList();
	}

	/**
	 * Hedges may arrive at the same time.
	 */
	private synchronized Step see(Attempt attempt) {
		this.seen.add(attempt);
		return (this.script.size() > 1) ? this.script.remove() : this.script.element();
	}

	private ServerCallHandler<String, String> handler() {
		return (call, headers) -> {
			Attempt attempt = new Attempt(call, headers, System.nanoTime());
			Step step = see(attempt);
			call.request(2);
			return new ServerCall.Listener<>() {

				@Override
				public void onMessage(String message) {
					attempt.request = message;
				}

				@Override
				public void onHalfClose() {
					step.accept(attempt);
				}

				@Override
				public void onCancel() {
					attempt.cancelled = true;
				}

			};
		};
	}

	static Step ok() {
		return (attempt) -> {
			headers().accept(attempt);
			attempt.call.sendMessage(attempt.request);
			attempt.call.close(Status.OK, attempt.trailers());
		};
	}

	static Step fail(Status.Code code) {
		return (attempt) -> attempt.call.close(code.toStatus().withDescription("attempt " + attempt.number()),
				attempt.trailers());
	}

	static Step headers() {
		return (attempt) -> attempt.call.sendHeaders(attempt.trailers());
	}

	static Step message() {
		return (attempt) -> {
			headers().accept(attempt);
			attempt.call.sendMessage(attempt.request);
		};
	}

	static Step pushBack(Status.Code code, String value) {
		return (attempt) -> {
			Metadata trailers = attempt.trailers();
			trailers.put(PUSH_BACK, value);
			attempt.call.close(code.toStatus(), trailers);
		};
	}

	static Step retryInfo(Status.Code code, long millis) {
		return (attempt) -> {
			RetryInfo info = RetryInfo.newBuilder()
				.setRetryDelay(
						Duration.newBuilder().setSeconds(millis / 1000).setNanos((int) (millis % 1000) * 1_000_000))
				.build();
			Metadata trailers = StatusProto
				.toStatusRuntimeException(
						com.google.rpc.Status.newBuilder().setCode(code.value()).addDetails(Any.pack(info)).build())
				.getTrailers();
			attempt.call.close(code.toStatus(), trailers);
		};
	}

	static Step silence() {
		return (attempt) -> {
		};
	}

	@FunctionalInterface
	interface Step extends Consumer<Attempt> {

		default Step then(Step next) {
			return (attempt) -> {
				accept(attempt);
				next.accept(attempt);
			};
		}

	}

	/** An attempt as the server has seen it. */
	interface Seen {

		Metadata headers();

		long atNanos();

		String request();

		boolean isCancelled();

		MethodDescriptor<String, String> method();

		ServerCall<String, String> call();

	}

	final class Attempt implements Seen {

		private final ServerCall<String, String> call;

		private final Metadata headers;

		private final long atNanos;

		private volatile String request = "";

		private volatile boolean cancelled;

		Attempt(ServerCall<String, String> call, Metadata headers, long atNanos) {
			this.call = call;
			this.headers = headers;
			this.atNanos = atNanos;
		}

		int number() {
			return ScriptedServer.this.seen.indexOf(this);
		}

		Metadata trailers() {
			Metadata trailers = new Metadata();
			trailers.put(ATTEMPT, Integer.toString(number()));
			return trailers;
		}

		@Override
		public Metadata headers() {
			return this.headers;
		}

		@Override
		public long atNanos() {
			return this.atNanos;
		}

		@Override
		public String request() {
			return this.request;
		}

		@Override
		public boolean isCancelled() {
			return this.cancelled;
		}

		@Override
		public MethodDescriptor<String, String> method() {
			return this.call.getMethodDescriptor();
		}

		@Override
		public ServerCall<String, String> call() {
			return this.call;
		}

	}

}
