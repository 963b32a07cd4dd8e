package io.github.grpcresilience.internal.error;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;

import com.google.rpc.BadRequest;
import com.google.rpc.DebugInfo;
import com.google.rpc.RequestInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;
import io.github.grpcresilience.internal.policy.RelaySettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * What a caller learns of the failure of a service behind the one it calls.
 */
class RelayTests {

	private static final Metadata.Key<String> OWN = Metadata.Key.of("x-own", Metadata.ASCII_STRING_MARSHALLER);

	private final Loopback loopback = new Loopback();

	private final ConcurrentLinkedQueue<UnhandledError> unhandled = new ConcurrentLinkedQueue<>();

	private final Shop leaf = new Shop();

	private final Shop hop = new Shop();

	private volatile Throwable seenByTheHop;

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private GrpcErrors call(GrpcResilienceBuilder builder, Function<StatusRuntimeException, Throwable> relay) {
		GrpcResilience resilience = this.loopback.resilience(builder.events((event) -> {
			if (event instanceof UnhandledError error) {
				this.unhandled.add(error);
			}
		}));
		Server plainLeaf = this.loopback.servePlain(this.leaf, (server) -> {
		});
		Channel toLeaf = this.loopback.channel(plainLeaf, resilience, "leaf");
		this.hop.unary((request, observer) -> {
			try {
				ClientCalls.blockingUnaryCall(toLeaf, Shop.UNARY, CallOptions.DEFAULT, request);
			}
			catch (StatusRuntimeException ex) {
				this.seenByTheHop = ex;
				Throwable relayed = relay.apply(ex);
				if (relayed instanceof CompletionException failure) {
					throw failure;
				}
				observer.onError(relayed);
			}
		});
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, this.hop));
		Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(ended.trailers().keys()).doesNotContain("x-own").allMatch((key) -> !key.contains("resilience"));
		return GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
	}

	private void leafFails(GrpcError error) {
		this.leaf.unary((request, observer) -> {
			Metadata trailers = Status.trailersFromThrowable(error);
			trailers.put(OWN, "secret");
			observer.onError(Status.fromThrowable(error).asRuntimeException(trailers));
		});
	}

	private static GrpcError rich(Code code) {
		return GrpcError.of(code)
			.message("secret of the leaf")
			.reason("LEAF_REASON")
			.domain("leaf")
			.retryAfter(Duration.ofMillis(1_700))
			.with(DebugInfo.newBuilder().setDetail("secret").build())
			.with(RequestInfo.newBuilder().setRequestId("4711").build())
			.withViolation("sku", "is not one");
	}

	@ParameterizedTest
	@EnumSource(names = { "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE",
			"ABORTED", "RESOURCE_EXHAUSTED" })
	void whatIsAboutTheRequestPasses(Code code) {
		leafFails(rich(code));
		GrpcErrors errors = call(GrpcResilience.builder(), (failure) -> failure);
		assertThat(errors.code()).isEqualTo(code);
		assertThat(errors.message()).isEqualTo("secret of the leaf");
		assertThat(errors.reason()).hasValue("LEAF_REASON");
		assertThat(errors.retryDelay()).hasValue(Duration.ofMillis(1_700));
		assertThat(errors.find(BadRequest.class)).isPresent();
		assertThat(errors.debugInfo()).isEmpty();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNKNOWN", "INTERNAL", "DATA_LOSS", "UNAVAILABLE", "CANCELLED" })
	void ofOtherFailuresOnlyReasonsPass(Code code) {
		leafFails(rich(code));
		GrpcErrors errors = call(GrpcResilience.builder(), CompletionException::new);
		assertThat(errors.code()).isEqualTo(code);
		assertThat(errors.message()).isEqualTo("a call to test.v1.Shop/Unary failed: " + code);
		assertThat(errors.reason()).hasValue("LEAF_REASON");
		assertThat(errors.retryDelay()).hasValue(Duration.ofMillis(1_700));
		assertThat(errors.requestInfo().get().getRequestId()).isEqualTo("4711");
		assertThat(errors.badRequest()).isEmpty();
		assertThat(errors.debugInfo()).isEmpty();
		assertThat(this.unhandled).isEmpty();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED" })
	void whatIsOurFaultIsInternal(Code code) {
		leafFails(rich(code));
		GrpcErrors errors = call(GrpcResilience.builder(), ExecutionException::new);
		assertThat(errors.code()).isEqualTo(Code.INTERNAL);
		assertThat(errors.reason()).hasValue("INTERNAL");
		assertThat(errors.details().toString()).doesNotContain("LEAF", "secret");
		assertThat(this.unhandled).singleElement()
			.satisfies((error) -> assertThat(error.id()).isEqualTo(errors.requestInfo().get().getRequestId()));
	}

	@Test
	void deadlineThatWeOweIsOurFault() {
		leafFails(GrpcError.of(Code.INVALID_ARGUMENT).reason("DEADLINE_REQUIRED").domain("grpc-resilience"));
		assertThat(call(GrpcResilience.builder(), (failure) -> failure).code()).isEqualTo(Code.INTERNAL);
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHENTICATED", "PERMISSION_DENIED" })
	void policyMayRelayWhatIsAboutTheCallersRights(Code code) {
		leafFails(rich(code));
		GrpcErrors errors = call(GrpcResilience.builder()
			.policies(Policies.client()
				.policy("relay", Shop.UNARY.getFullMethodName())
				.with(RelaySettings.RELAY_AUTH_ERRORS, true)
				.end()
				.define()), (failure) -> failure);
		assertThat(errors.code()).isEqualTo(code);
		assertThat(errors.reason()).hasValue("LEAF_REASON");
		assertThat(errors.message()).doesNotContain("secret");
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "OK")
	void statusThatTheHopBuildsItselfPasses(Code code) {
		leafFails(rich(Code.UNAVAILABLE));
		GrpcErrors errors = call(GrpcResilience.builder(),
				(failure) -> code.toStatus().withDescription("built").asRuntimeException());
		assertThat(errors.code()).isEqualTo(code);
		assertThat(errors.message()).isEqualTo("built");
	}

	/** As our own client says it, or the service behind of our request. */
	@Test
	void messageThatIsTooLargeIsOurFault() {
		this.leaf.unary((request, observer) -> Shop.echo("x".repeat(5 * 1024 * 1024), observer));
		GrpcErrors errors = call(GrpcResilience.builder(), (failure) -> failure);
		assertThat(Status.fromThrowable(this.seenByTheHop).getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
		assertThat(errors.code()).isEqualTo(Code.INTERNAL);
		assertThat(errors.message()).doesNotContain("maximum size");
		assertThat(this.unhandled).hasSize(1);
	}

	@Test
	void connectionThatWasClosedForTooManyPingsIsUnavailable() {
		this.leaf.unary((request,
				observer) -> observer.onError(Status.RESOURCE_EXHAUSTED.withDescription(
						"Bandwidth exhausted\nHTTP/2 error code: ENHANCE_YOUR_CALM\nReceived Goaway\ntoo_many_pings")
					.asRuntimeException()));
		GrpcErrors errors = call(GrpcResilience.builder(), (failure) -> failure);
		assertThat(errors.code()).isEqualTo(Code.UNAVAILABLE);
		assertThat(errors.message()).isEqualTo("a call to test.v1.Shop/Unary failed: UNAVAILABLE");
	}

	/** Meters and spans of others name what failed by the class of its cause. */
	@Test
	void failureLooksAsItWouldWithoutUs() throws Exception {
		leafFails(rich(Code.UNAVAILABLE));
		call(GrpcResilience.builder(), (failure) -> failure);
		assertThat(this.seenByTheHop).hasNoCause();
		int port = freePort();
		Ended plain = Calls.run(this.loopback.plainChannel(port), Shop.UNARY, Loopback.within(20_000));
		Ended ours = Calls.run(this.loopback.channel(port, this.loopback.resilience(GrpcResilience.builder()), "leaf"),
				Shop.UNARY, Loopback.within(20_000));
		assertThat(plain.status().getCause()).isNotNull();
		assertThat(ours.status().getCause()).hasSameClassAs(plain.status().getCause());
	}

	private static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
	}

	/** As handlers do that pass a failure on without its trailers. */
	@Test
	void failureWithoutItsTrailersIsStillThatOfAServiceBehind() {
		leafFails(rich(Code.UNAVAILABLE));
		GrpcErrors errors = call(GrpcResilience.builder(), (failure) -> failure.getStatus().asRuntimeException());
		assertThat(errors.code()).isEqualTo(Code.UNAVAILABLE);
		assertThat(errors.message()).isEqualTo("a call to test.v1.Shop/Unary failed: UNAVAILABLE");
	}

	@Test
	void plainServerDoesNotSendTheMark() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		leafFails(rich(Code.ABORTED));
		Channel toLeaf = this.loopback.channel(this.loopback.servePlain(this.leaf, (server) -> {
		}), resilience, "leaf");
		this.hop.unary((request, observer) -> observer.onError(
				catchThrowable(() -> ClientCalls.blockingUnaryCall(toLeaf, Shop.UNARY, CallOptions.DEFAULT, request))));
		Channel channel = this.loopback.plainChannel(this.loopback.servePlain(this.hop, (server) -> {
		}));
		Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(ended.code()).isEqualTo(Code.ABORTED);
		assertThat(ended.status().getCause()).isNull();
		assertThat(ended.trailers().keys())
			.hasSameElementsAs(List.of("content-type", "grpc-status-details-bin", "x-own"));
	}

	@Test
	void unreachableServiceIsNotNamed() {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		Channel nowhere = this.loopback.channel(1, resilience, "leaf");
		this.hop.unary((request, observer) -> observer.onError(catchThrowable(() -> Context.ROOT
			.call(() -> ClientCalls.blockingUnaryCall(nowhere, Shop.UNARY, CallOptions.DEFAULT, request)))));
		Channel channel = this.loopback.plainChannel(this.loopback.serve(resilience, this.hop));
		Ended ended = Calls.run(channel, Shop.UNARY, Loopback.within(20_000));
		assertThat(ended.code()).isEqualTo(Code.UNAVAILABLE);
		assertThat(ended.status().getDescription()).isEqualTo("a call to test.v1.Shop/Unary failed: UNAVAILABLE");
	}

}
