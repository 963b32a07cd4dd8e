package io.github.grpcresilience.test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * What a plain client of grpc-java, or a bare socket, sees of each fault.
 */
class FaultyServerTests {

	private static final Metadata.Key<String> PUSH_BACK = Metadata.Key.of("grpc-retry-pushback-ms",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final MethodDescriptor<String, String> UNARY = method("test.v1.Shop/Unary", MethodType.UNARY);

	private static final MethodDescriptor<String, String> SERVER_STREAM = method("test.v1.Shop/ServerStream",
			MethodType.SERVER_STREAMING);

	private static final MethodDescriptor<String, String> CLIENT_STREAM = method("test.v1.Shop/ClientStream",
			MethodType.CLIENT_STREAMING);

	private static final MethodDescriptor<String, String> BIDI = method("test.v1.Shop/Bidi", MethodType.BIDI_STREAMING);

	private final Deque<AutoCloseable> open = new ArrayDeque<>();

	private final FaultyServer server = opened(FaultyServer.start());

	private <T extends AutoCloseable> T opened(T closeable) {
		this.open.push(closeable);
		return closeable;
	}

	@AfterEach
	void end() throws Exception {
		for (AutoCloseable each : this.open) {
			each.close();
		}
	}

	private ManagedChannel channel() {
		return channel(Map.of());
	}

	private ManagedChannel channel(Map<String, ?> serviceConfig) {
		return channel(this.server.port(), serviceConfig);
	}

	private ManagedChannel channel(int port, Map<String, ?> serviceConfig) {
		ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
			.usePlaintext()
			.defaultServiceConfig(serviceConfig)
			.build();
		opened(() -> {
			channel.shutdownNow();
			assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
		});
		return channel;
	}

	private static Map<String, ?> retrying(double attempts) {
		return Map.of("methodConfig",
				List.of(Map.of("name", List.of(Map.of()), "retryPolicy",
						Map.of("maxAttempts", attempts, "initialBackoff", "0.007s", "maxBackoff", "0.07s",
								"backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE")))));
	}

	private static MethodDescriptor<String, String> method(String name, MethodType type) {
		return MethodDescriptor.newBuilder(new Text(), new Text()).setType(type).setFullMethodName(name).build();
	}

	private static String call(ManagedChannel channel) {
		return call(channel, "x");
	}

	private static String call(ManagedChannel channel, String request) {
		return ClientCalls.blockingUnaryCall(channel, UNARY, within(20_000), request);
	}

	private static CallOptions within(long millis) {
		return CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
	}

	private static Status failure(ManagedChannel channel) {
		return Status.fromThrowable(catchThrowable(() -> call(channel)));
	}

	private static Socket connect(int port) throws IOException {
		return new Socket(InetAddress.getLoopbackAddress(), port);
	}

	private static Watched watch(ManagedChannel channel, MethodDescriptor<String, String> method) {
		return watch(channel, method, within(20_000));
	}

	private static Watched watch(ManagedChannel channel, MethodDescriptor<String, String> method, CallOptions options) {
		Watched watched = new Watched(channel.newCall(method, options));
		watched.call().start(watched, new Metadata());
		watched.call().request(100);
		watched.call().sendMessage("x");
		watched.call().halfClose();
		return watched;
	}

	@Test
	void failsTwiceAndAnswers() {
		try (FaultyServer inventory = FaultyServer.start()) {
			inventory.answer(UNARY, (request) -> "7 in stock")
				.next(2, Fault.status(Status.UNAVAILABLE).withRetryInfo(Duration.ofMillis(50)));
			ManagedChannel channel = channel(inventory.port(), retrying(3));
			assertThat(call(channel, "SKU-1")).isEqualTo("7 in stock");
			assertThat(inventory.received()).extracting(Received::previousAttempts).containsExactly(0, 1, 2);
		}
	}

	@Test
	void answersEveryMethodWithItsRequest() {
		ManagedChannel channel = channel();
		String large = "x".repeat(300_000);
		assertThat(call(channel, large)).isEqualTo(large);
		assertThat(call(channel, "")).isEmpty();
		assertThat(ClientCalls.blockingServerStreamingCall(channel, SERVER_STREAM, within(20_000), "x")).toIterable()
			.containsExactly("x");
	}

	@Test
	void answersAsItIsTold() {
		this.server.answer(UNARY, (request) -> "answer to " + request)
			.answers(SERVER_STREAM, (request) -> List.of(request, request + "2"))
			.answer(CLIENT_STREAM, (request) -> "last was " + request);
		ManagedChannel channel = channel();
		assertThat(call(channel)).isEqualTo("answer to x");
		assertThat(ClientCalls.blockingServerStreamingCall(channel, SERVER_STREAM, within(20_000), "x")).toIterable()
			.containsExactly("x", "x2");
		Observed upload = new Observed();
		StreamObserver<String> requests = ClientCalls
			.asyncClientStreamingCall(channel.newCall(CLIENT_STREAM, within(20_000)), upload);
		List.of("a", "b", "c").forEach(requests::onNext);
		requests.onCompleted();
		assertThat(upload.ended.orTimeout(20, TimeUnit.SECONDS).join().isOk()).isTrue();
		assertThat(upload.messages).containsExactly("last was c");
	}

	@Test
	void conversesOnABidirectionalStream() {
		Observed answers = new Observed();
		StreamObserver<String> requests = ClientCalls.asyncBidiStreamingCall(channel().newCall(BIDI, within(20_000)),
				answers);
		requests.onNext("a");
		await().until(() -> answers.messages.size() == 1);
		requests.onNext("b");
		await().until(() -> answers.messages.size() == 2);
		requests.onCompleted();
		assertThat(answers.ended.orTimeout(20, TimeUnit.SECONDS).join().isOk()).isTrue();
	}

	@Test
	void whatAnAnswerThrowsIsTheStatus() {
		Metadata trailers = new Metadata();
		trailers.put(PUSH_BACK, "70");
		this.server.answer(UNARY, (request) -> {
			throw Status.ABORTED.withDescription("100 % \u00e4").asRuntimeException(trailers);
		});
		Throwable thrown = catchThrowable(() -> call(channel()));
		assertThat(Status.fromThrowable(thrown).getCode()).isEqualTo(Status.Code.ABORTED);
		assertThat(Status.fromThrowable(thrown).getDescription()).isEqualTo("100 % \u00e4");
		assertThat(Status.trailersFromThrowable(thrown).get(PUSH_BACK)).isEqualTo("70");
	}

	@Test
	void failsAsOftenAsAskedAndCountsTheAttempts() {
		this.server.next(2, Fault.status(Status.UNAVAILABLE));
		assertThat(call(channel(retrying(3)))).isEqualTo("x");
		assertThat(this.server.received()).extracting(Received::previousAttempts).containsExactly(0, 1, 2);
		assertThat(this.server.calls()).isEqualTo(3);
	}

	@Test
	void pushBackStopsAClient() {
		this.server.every(Fault.status(Status.UNAVAILABLE).withPushBack(-1));
		assertThat(failure(channel(retrying(3))).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(this.server.calls()).isEqualTo(1);
	}

	@Test
	void retryInfoArrives() throws IOException {
		this.server.next(Fault.status(Status.RESOURCE_EXHAUSTED.withDescription("full"))
			.withPushBack(7)
			.withRetryInfo(Duration.ofMillis(1_050)));
		Throwable thrown = catchThrowable(() -> call(channel()));
		com.google.rpc.Status status = StatusProto.fromThrowable(thrown);
		assertThat(status.getMessage()).isEqualTo("full");
		assertThat(status.getDetails(0).unpack(RetryInfo.class)).isEqualTo(RetryInfo.newBuilder()
			.setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(1).setNanos(50_000_000))
			.build());
		assertThat(Status.trailersFromThrowable(thrown).get(PUSH_BACK)).isEqualTo("7");
	}

	@Test
	void decidesForEachCall() {
		this.server.decide((call) -> call.method().equals(UNARY.getFullMethodName()) ? Fault.status(Status.NOT_FOUND)
				: Fault.none());
		ManagedChannel channel = channel();
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(watch(channel, SERVER_STREAM).ended().isOk()).isTrue();
	}

	@Test
	void decisionThatThrowsIsTheStatus() {
		this.server.decide((call) -> {
			throw Status.ABORTED.asRuntimeException();
		});
		assertThat(failure(channel()).getCode()).isEqualTo(Status.Code.ABORTED);
	}

	@Test
	void compressedMessagesAreNotUnderstood() {
		assertThat(watch(channel(), UNARY, within(20_000).withCompression("gzip")).ended().getCode())
			.isEqualTo(Status.Code.UNIMPLEMENTED);
	}

	@Test
	void answersLate() {
		this.server.next(Fault.delay(Duration.ofMinutes(7)), Fault.delay(Duration.ofMillis(7)));
		ManagedChannel channel = channel();
		ManagedChannel other = channel();
		assertThat(watch(channel, UNARY, within(300)).ended().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(call(other)).isEqualTo("x");
		await().until(() -> this.server.openCalls() == 0);
	}

	@Test
	void saysNothingUntilTheClientLeaves() {
		this.server.next(Fault.silence());
		Watched call = watch(channel(), UNARY);
		await().until(() -> this.server.openCalls() == 1);
		assertThat(this.server.cancelled()).isZero();
		call.call().cancel("enough", null);
		await().until(() -> this.server.cancelled() == 1 && this.server.openCalls() == 0);
		assertThat(call.headers).isNotDone();
	}

	@Test
	void sendsHeadersAndNothingElse() {
		this.server.next(Fault.headersThenNothing());
		Watched call = watch(channel(), UNARY);
		call.headers.orTimeout(20, TimeUnit.SECONDS).join();
		assertThat(call.messages).isEmpty();
		assertThat(call.ended).isNotDone();
	}

	@Test
	void failsInTheMiddleOfAnAnswer() {
		this.server.answers(SERVER_STREAM, (request) -> List.of("1", "2", "3", "4"))
			.next(Fault.status(Status.DATA_LOSS).afterMessages(2), Fault.reset(2).afterMessages(3));
		ManagedChannel channel = channel();
		Watched first = watch(channel, SERVER_STREAM);
		assertThat(first.ended().getCode()).isEqualTo(Status.Code.DATA_LOSS);
		assertThat(first.messages).containsExactly("1", "2");
		Watched second = watch(channel, SERVER_STREAM);
		assertThat(second.ended().getCode()).isEqualTo(Status.Code.INTERNAL);
		assertThat(second.messages).as("a reset may overtake them").isSubsetOf("1", "2", "3");
	}

	@Test
	void resetsAStreamAndKeepsTheConnection() {
		this.server.next(Fault.reset(2), Fault.reset(8), Fault.reset(11));
		ManagedChannel channel = channel();
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.INTERNAL);
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.CANCELLED);
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(call(channel)).isEqualTo("x");
		assertThat(this.server.accepted()).isEqualTo(1);
	}

	@Test
	void refusedStreamIsSentAgainByTheClientItself() {
		this.server.next(Fault.reset(7));
		assertThat(call(channel())).isEqualTo("x");
		assertThat(this.server.received()).extracting(Received::previousAttempts).containsExactly(0, 0);
	}

	@Test
	void goAwayEndsTheConnectionWithItsCalls() {
		this.server.next(Fault.silence(), Fault.goAway(11, "too_many_pings"));
		ManagedChannel channel = channel();
		Watched other = watch(channel, UNARY);
		await().until(() -> this.server.openCalls() == 1);
		Status status = failure(channel);
		assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(status.getDescription()).contains("too_many_pings");
		assertThat(other.ended().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(call(channel)).isEqualTo("x");
		assertThat(this.server.received()).extracting(Received::connection).containsExactly(1, 1, 2);
	}

	@Test
	void connectionGoesAwayOnceItsCallsAreDone() {
		this.server.next(Fault.delay(Duration.ofMillis(300)));
		ManagedChannel channel = channel();
		Watched call = watch(channel, UNARY);
		await().until(() -> this.server.openCalls() == 1);
		this.server.goAway();
		assertThat(call(channel)).isEqualTo("x");
		assertThat(call.ended().isOk()).isTrue();
		assertThat(this.server.accepted()).isEqualTo(2);
		await().until(() -> this.server.peers().size() == 1);
	}

	@Test
	void answersAsAProxyWithHtml() {
		this.server.next(Fault.http(503), Fault.http(404));
		ManagedChannel channel = channel();
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
	}

	@Test
	void garbageEndsTheConnection() {
		this.server.next(Fault.garbage());
		ManagedChannel channel = channel();
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.INTERNAL);
		assertThat(call(channel)).isEqualTo("x");
		assertThat(this.server.accepted()).isEqualTo(2);
	}

	@Test
	void babblesToWhoeverConnects() throws IOException {
		this.server.babble();
		try (Socket socket = connect(this.server.port())) {
			assertThat(socket.getInputStream().readNBytes(64)).containsOnly('Z');
		}
		ManagedChannel channel = channel();
		assertThat(failure(channel).getCode()).isEqualTo(Status.Code.INTERNAL);
		this.server.heal();
		channel.resetConnectBackoff();
		await().until(() -> channel.getState(true) == ConnectivityState.READY);
		assertThat(call(channel)).isEqualTo("x");
	}

	@Test
	void resetsTheConnectionOfACall() {
		this.server.next(Fault.disconnect());
		ManagedChannel channel = channel();
		Status status = failure(channel);
		assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(status.getCause()).hasMessageContaining("reset");
		assertThat(call(channel)).isEqualTo("x");
	}

	@Test
	void resetsAllConnections() throws IOException {
		this.server.every(Fault.silence());
		Watched one = watch(channel(), UNARY);
		Watched two = watch(channel(), UNARY);
		try (Socket socket = connect(this.server.port())) {
			await().until(() -> this.server.openCalls() == 2 && this.server.peers().size() == 3);
			this.server.disconnect();
			assertThatExceptionOfType(SocketException.class).isThrownBy(() -> socket.getInputStream().readAllBytes())
				.withMessageContaining("reset");
		}
		assertThat(one.ended().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(two.ended().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		await().until(() -> this.server.peers().isEmpty());
		assertThat(this.server.openCalls()).isZero();
	}

	@Test
	void refusesConnectionsAndTakesThemAgainOnTheSamePort() {
		ManagedChannel before = channel();
		call(before);
		int port = this.server.port();
		this.server.refuse();
		assertThatExceptionOfType(ConnectException.class).isThrownBy(() -> connect(port).close());
		assertThat(failure(channel()).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(call(before)).isEqualTo("x");
		this.server.heal();
		assertThat(this.server.port()).isEqualTo(port);
		assertThat(call(channel())).isEqualTo("x");
	}

	@Test
	void blackholeAcceptsAndIsSilent() throws IOException {
		ManagedChannel before = channel();
		call(before);
		this.server.blackhole();
		Watched old = watch(before, UNARY);
		ManagedChannel fresh = channel();
		Watched call = watch(fresh, UNARY);
		await().until(() -> this.server.accepted() == 2);
		assertThat(old.ended).isNotDone();
		assertThat(call.ended).isNotDone();
		assertThat(this.server.calls()).isEqualTo(1);
		this.server.heal();
		assertThat(old.ended().isOk()).isTrue();
		assertThat(call.ended().isOk()).isTrue();
	}

	@Test
	void stalledConnectionIsSilentAndNewOnesAreServed() {
		ManagedChannel channel = channel();
		call(channel);
		this.server.stall(Direction.TO_SERVER);
		Watched stalled = watch(channel, UNARY);
		assertThat(call(channel())).isEqualTo("x");
		assertThat(this.server.calls()).isEqualTo(2);
		assertThat(stalled.ended).isNotDone();
		this.server.heal();
		assertThat(stalled.ended().isOk()).isTrue();
	}

	@Test
	void answersOfAStalledConnectionWait() {
		ManagedChannel channel = channel();
		call(channel);
		this.server.stall(Direction.TO_CLIENT);
		Watched stalled = watch(channel, UNARY);
		await().until(() -> this.server.calls() == 2);
		assertThat(stalled.headers).isNotDone();
		this.server.heal();
		assertThat(stalled.ended().isOk()).isTrue();
	}

	@Test
	void dripsAnAnswer() throws IOException {
		this.server.next(Fault.drip(Duration.ofMillis(3)), Fault.drip(Duration.ofMinutes(7)));
		ManagedChannel channel = channel();
		assertThat(call(channel, "drop by drop")).isEqualTo("drop by drop");
		Watched endless = watch(channel, UNARY);
		endless.headers.orTimeout(20, TimeUnit.SECONDS).join();
		assertThat(endless.ended).isNotDone();
		endless.call().cancel("enough", null);
		await().until(() -> this.server.openCalls() == 0);
	}

	@Test
	void tellsWhatArrived() {
		ManagedChannel channel = channel();
		Metadata.Key<byte[]> binary = Metadata.Key.of("token-bin", Metadata.BINARY_BYTE_MARSHALLER);
		Metadata headers = new Metadata();
		headers.put(PUSH_BACK, "a");
		headers.put(binary, new byte[] { 7, -1 });
		Watched call = new Watched(channel.newCall(UNARY, within(20_000)));
		call.call().start(call, headers);
		call.call().sendMessage("x");
		call.call().halfClose();
		call.call().request(2);
		assertThat(call.ended().isOk()).isTrue();
		Received received = this.server.received().get(0);
		assertThat(received.method()).isEqualTo("test.v1.Shop/Unary");
		assertThat(received.timeout()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(20));
		assertThat(received.headers().get(PUSH_BACK)).isEqualTo("a");
		assertThat(received.headers().get(binary)).containsExactly(7, -1);
		assertThat(this.server.peers()).containsExactly(received.peer());
		ClientCalls.blockingUnaryCall(channel, UNARY, CallOptions.DEFAULT, "x");
		assertThat(this.server.received().get(1).timeout()).isNull();
	}

	@Test
	void secondServerStandsInOnTheSamePortOfAnotherAddress() {
		FaultyServer other = opened(FaultyServer.start("127.0.0.2", this.server.port()));
		assertThat(other.address()).hasToString("/127.0.0.2:" + this.server.port());
		ManagedChannel channel = ManagedChannelBuilder.forTarget("dns:///127.0.0.2:" + other.port())
			.usePlaintext()
			.build();
		opened((AutoCloseable) channel::shutdownNow);
		assertThat(call(channel)).isEqualTo("x");
		assertThat(other.calls()).isEqualTo(1);
		assertThat(this.server.calls()).isZero();
	}

	@Test
	void faultsThatMakeNoSenseAreRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> Fault.delay(Duration.ofMillis(-7)));
		assertThatIllegalArgumentException().isThrownBy(() -> Fault.drip(Duration.ZERO));
		assertThatIllegalArgumentException().isThrownBy(() -> Fault.silence().afterMessages(-1));
		assertThatIllegalStateException().isThrownBy(() -> Fault.none().afterMessages(1));
		assertThatIllegalStateException().isThrownBy(() -> Fault.garbage().withPushBack(7));
	}

	@Test
	void closedServerIsGone() {
		call(channel());
		this.server.close();
		this.server.close();
		assertThat(this.server.peers()).isEmpty();
		assertThatExceptionOfType(ConnectException.class).isThrownBy(() -> connect(this.server.port()).close());
	}

	private static final class Watched extends ClientCall.Listener<String> {

		private final ClientCall<String, String> call;

		private final CompletableFuture<Metadata> headers = new CompletableFuture<>();

		private final Queue<String> messages = new ConcurrentLinkedQueue<>();

		private final CompletableFuture<Status> ended = new CompletableFuture<>();

		Watched(ClientCall<String, String> call) {
			this.call = call;
		}

		ClientCall<String, String> call() {
			return this.call;
		}

		Status ended() {
			return this.ended.orTimeout(20, TimeUnit.SECONDS).join();
		}

		@Override
		public void onHeaders(Metadata headers) {
			this.headers.complete(headers);
		}

		@Override
		public void onMessage(String message) {
			this.messages.add(message);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.ended.complete(status);
		}

	}

	private static final class Observed implements StreamObserver<String> {

		private final Queue<String> messages = new ConcurrentLinkedQueue<>();

		private final CompletableFuture<Status> ended = new CompletableFuture<>();

		@Override
		public void onNext(String value) {
			this.messages.add(value);
		}

		@Override
		public void onError(Throwable thrown) {
			this.ended.complete(Status.fromThrowable(thrown));
		}

		@Override
		public void onCompleted() {
			this.ended.complete(Status.OK);
		}

	}

	private static final class Text implements MethodDescriptor.Marshaller<String> {

		@Override
		public InputStream stream(String value) {
			return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
		}

		@Override
		public String parse(InputStream stream) {
			try {
				return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

}
