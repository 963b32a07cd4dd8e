package io.github.grpcresilience.benchmarks.pair;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;

import io.github.grpcresilience.benchmarks.variant.Held;

/**
 * What the calls of a batch look like.
 */
sealed interface Shape {

	/** Name in the reports. */
	String title();

	/** Calls of one batch. */
	int callsPerBatch(int wanted);

	/** Makes the calls of one batch. */
	void run(Rig rig, int calls);

	/** Blocking calls, one after the other. */
	record Unary() implements Shape {

		private static final byte[] REQUEST = new byte[100];

		@Override
		public String title() {
			return "unary";
		}

		@Override
		public int callsPerBatch(int wanted) {
			return wanted;
		}

		@Override
		public void run(Rig rig, int calls) {
			for (int i = 0; i < calls; i++) {
				if (rig.calls().unary(REQUEST).length != REQUEST.length) {
					throw new IllegalStateException("wrong answer");
				}
			}
		}

	}

	/** Streams that the server sends, one after the other. */
	record Stream() implements Shape {

		private static final int MESSAGES = 100;

		@Override
		public String title() {
			return "stream of " + MESSAGES;
		}

		@Override
		public int callsPerBatch(int wanted) {
			return Math.max(1, wanted / 20);
		}

		@Override
		public void run(Rig rig, int calls) {
			byte[] request = new byte[100];
			request[0] = MESSAGES;
			for (int i = 0; i < calls; i++) {
				if (rig.calls().stream(request) != MESSAGES) {
					throw new IllegalStateException("messages are missing");
				}
			}
		}

	}

	/**
	 * Unary calls of which a number is open at once: the server answers when all of them
	 * are there.
	 *
	 * @param number their number
	 */
	record Together(int number) implements Shape {

		@Override
		public String title() {
			return this.number + " at once";
		}

		@Override
		public int callsPerBatch(int wanted) {
			return this.number * Math.max(1, wanted / this.number);
		}

		@Override
		public void run(Rig rig, int calls) {
			byte[] request = Held.request(this.number);
			for (int i = 0; i < calls; i += this.number) {
				CountDownLatch open = new CountDownLatch(this.number);
				for (int j = 0; j < this.number; j++) {
					OpenCalls.send(
							rig.channel()
								.newCall(Held.TOGETHER, CallOptions.DEFAULT.withDeadlineAfter(5, TimeUnit.SECONDS)),
							request, new Counting(open));
				}
				await(open);
			}
		}

		private static void await(CountDownLatch open) {
			try {
				if (!open.await(10, TimeUnit.SECONDS)) {
					throw new IllegalStateException("calls failed");
				}
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
		}

		private static final class Counting extends ClientCall.Listener<byte[]> {

			private final CountDownLatch open;

			Counting(CountDownLatch open) {
				this.open = open;
			}

			@Override
			public void onClose(Status status, Metadata trailers) {
				if (status.isOk()) {
					this.open.countDown();
				}
			}

		}

	}

}
