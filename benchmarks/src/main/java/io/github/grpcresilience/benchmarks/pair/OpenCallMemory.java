package io.github.grpcresilience.benchmarks.pair;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;

import io.github.grpcresilience.benchmarks.variant.Held;

/**
 * Heap that open calls hold, client and server together: after a collection with them
 * less the same without.
 */
final class OpenCallMemory {

	private static final List<String> VARIANTS = List.of("bare", "BD", "floor", "defaults", "retry", "everything");

	private OpenCallMemory() {
	}

	/**
	 * What there is to measure, each in a JVM of its own: what has been freed before a
	 * reading, and what is freed only after it, would otherwise be the next one's.
	 */
	static List<String> kinds() {
		return Stream.of(Transport.POOL, Transport.NETTY)
			.map((transport) -> transport.name().toLowerCase(Locale.ROOT))
			.flatMap((transport) -> Stream.of(Held.UNARY, Held.STREAM)
				.flatMap((method) -> VARIANTS.stream()
					.map((variant) -> transport + "/" + method.getBareMethodName() + "/" + variant)))
			.toList();
	}

	/**
	 * Opens calls of a kind.
	 * @param kind the kind
	 * @param calls their number
	 * @return bytes a call
	 */
	static double measure(String kind, int calls) {
		List<String> words = List.of(kind.split("/", -1));
		return measure(Transport.valueOf(words.get(0).toUpperCase(Locale.ROOT)),
				words.get(1).equals(Held.STREAM.getBareMethodName()) ? Held.STREAM : Held.UNARY,
				Contender.named(words.get(2)), calls);
	}

	private static double measure(Transport transport, MethodDescriptor<byte[], byte[]> method, Contender contender,
			int number) {
		ExecutorService executor = Executors.newFixedThreadPool(2);
		try (Rig rig = new Rig("memory", transport, contender.variant().get(), executor)) {
			open(rig, method, contender, 100);
			long before = heap();
			List<ClientCall<byte[], byte[]>> calls = open(rig, method, contender, number);
			long after = heap();
			if (calls.size() != number) {
				throw new IllegalStateException("calls are missing");
			}
			return (double) (after - before) / number;
		}
		finally {
			executor.shutdownNow();
		}
	}

	private static List<ClientCall<byte[], byte[]>> open(Rig rig, MethodDescriptor<byte[], byte[]> method,
			Contender contender, int number) {
		long millis = contender.name().equals("bare") ? 0 : TimeUnit.HOURS.toMillis(1);
		CountDownLatch answered = new CountDownLatch(number);
		List<ClientCall<byte[], byte[]>> calls = new ArrayList<>(number);
		for (int i = 0; i < number; i++) {
			calls.add(OpenCalls.open(rig.channel(), method, millis, new Answered(answered)));
		}
		if (method == Held.STREAM) {
			Answered.await(answered);
		}
		return calls;
	}

	/**
	 * Once calls have arrived that are on their way, and queues are empty that threads
	 * look at now and then.
	 */
	private static long heap() {
		for (int i = 0; i < 6; i++) {
			pause();
			System.gc();
		}
		return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
	}

	private static void pause() {
		try {
			Thread.sleep(150);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static final class Answered extends ClientCall.Listener<byte[]> {

		private final CountDownLatch open;

		Answered(CountDownLatch open) {
			this.open = open;
		}

		@Override
		public void onMessage(byte[] message) {
			this.open.countDown();
		}

		private static void await(CountDownLatch open) {
			try {
				if (!open.await(20, TimeUnit.SECONDS)) {
					throw new IllegalStateException("streams did not start");
				}
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
		}

	}

}
