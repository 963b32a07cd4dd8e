package io.github.grpcresilience.internal.attempt;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Policies;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.policy.AttemptSettings;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Services that call one another, each of which attempts its calls three times.
 */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class ChainTests {

	private final Loopback loopback = new Loopback();

	private final AtomicInteger leafCalls = new AtomicInteger();

	private final AtomicInteger repeatedLeafCalls = new AtomicInteger();

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private static GrpcResilienceBuilder attempting() {
		return GrpcResilience.builder()
			.policies(Policies.client()
				.policy("shop", "test.v1.Shop")
				.with(AttemptSettings.IDEMPOTENT, true)
				.with(AttemptSettings.RETRY_MAX_ATTEMPTS, 3)
				.with(AttemptSettings.INITIAL_BACKOFF, Duration.ofMillis(1))
				.end()
				.define());
	}

	private Server leaf(Status status) {
		return this.loopback.servePlain(new Shop().unary((request, observer) -> {
			this.leafCalls.incrementAndGet();
			observer.onError(status.asRuntimeException());
		}), (builder) -> {
		});
	}

	/** A server and a client of ours. */
	private Server hop(Server next, HopStyle style) {
		GrpcResilience resilience = this.loopback.resilience(style.customize(attempting()));
		ManagedChannel channel = this.loopback.channel(next, resilience, "next");
		return this.loopback.serve(resilience, style.service(channel));
	}

	/**
	 * A server of ours whose client is grpc-java's own, which retries by service config.
	 */
	private Server hopOfNativeClient(Server next) {
		GrpcResilience resilience = this.loopback.resilience(attempting());
		return this.loopback.serve(resilience, HopStyle.ON_ERROR.service(nativeChannel(next)));
	}

	/** Nothing of ours at all. */
	private Server plainHop(Server next) {
		return this.loopback.servePlain(HopStyle.ON_ERROR.service(nativeChannel(next)), (builder) -> {
		});
	}

	private ManagedChannel nativeChannel(Server next) {
		ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", next.getPort())
			.usePlaintext()
			.defaultServiceConfig(Map.of("methodConfig",
					List.of(Map.of("name", List.of(Map.of("service", "test.v1.Shop")), "retryPolicy",
							Map.of("maxAttempts", 3.0, "initialBackoff", "0.001s", "maxBackoff", "0.001s",
									"backoffMultiplier", 1.0, "retryableStatusCodes", List.of("UNAVAILABLE"))))))
			.build();
		this.loopback.end(channel);
		return channel;
	}

	private Status userCall(Server first) {
		GrpcResilience resilience = this.loopback.resilience(attempting());
		return Calls.run(this.loopback.channel(first, resilience, "user"), Shop.UNARY, Loopback.within(10_000))
			.status();
	}

	@ParameterizedTest
	@EnumSource
	void threeHopsOverADeadLeafMakeThreeLeafCalls(HopStyle style) {
		Server third = hop(leaf(Status.UNAVAILABLE), style);
		Server second = hop(third, style);
		assertThat(userCall(second).getCode()).isEqualTo(style.code());
		assertThat(this.leafCalls).hasValue(3);
	}

	@Test
	void nativeClientInTheMiddleIsStopped() {
		Server third = hop(leaf(Status.UNAVAILABLE), HopStyle.ON_ERROR);
		assertThat(userCall(hopOfNativeClient(third)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(this.leafCalls).hasValue(3);
	}

	@Test
	void plainServiceInTheMiddlePassesTheStopOn() {
		Server third = hop(leaf(Status.UNAVAILABLE), HopStyle.ON_ERROR);
		assertThat(userCall(plainHop(third)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(this.leafCalls).hasValue(3);
	}

	@Test
	void plainUserIsStopped() {
		Server first = hop(hop(leaf(Status.UNAVAILABLE), HopStyle.ON_ERROR), HopStyle.ON_ERROR);
		assertThat(Calls.run(nativeChannel(first), Shop.UNARY, Loopback.within(10_000)).code())
			.isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(this.leafCalls).hasValue(3);
	}

	@Test
	void failureThatIsNotOfTheCallMadeIsNotMarked() {
		GrpcResilience resilience = this.loopback.resilience(attempting());
		ManagedChannel next = this.loopback.channel(leaf(Status.UNAVAILABLE), resilience, "next");
		AtomicInteger calls = new AtomicInteger();
		Server first = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			Calls.run(next, Shop.UNARY, Loopback.within(5_000));
			if (calls.incrementAndGet() < 3) {
				observer.onError(Status.UNAVAILABLE.withDescription("of its own").asRuntimeException());
			}
			else {
				Shop.echo(request, observer);
			}
		}));
		assertThat(userCall(first).getCode()).isEqualTo(Status.Code.OK);
		assertThat(calls).hasValue(3);
	}

	@Test
	void callsOfARepeatedAttemptAreMadeOnce() {
		GrpcResilience resilience = this.loopback.resilience(attempting());
		AtomicInteger served = new AtomicInteger();
		Server leaf = leaf(Status.UNAVAILABLE);
		ManagedChannel next = this.loopback.channel(leaf, resilience, "next");
		Server first = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			if (served.incrementAndGet() == 1) {
				observer.onError(Status.UNAVAILABLE.asRuntimeException());
				return;
			}
			Calls.run(next, Shop.UNARY, Loopback.within(5_000));
			this.repeatedLeafCalls.set(this.leafCalls.get());
			Shop.echo(request, observer);
		}));
		assertThat(userCall(first).getCode()).isEqualTo(Status.Code.OK);
		assertThat(served).hasValue(2);
		assertThat(this.repeatedLeafCalls).hasValue(1);
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 2, 3 })
	void sustainedLoadIsHardlyMultiplied(int layers) throws Exception {
		Server server = leaf(Status.UNAVAILABLE);
		for (int layer = 1; layer < layers; layer++) {
			server = hop(server, HopStyle.ON_ERROR);
		}
		GrpcResilience resilience = this.loopback.resilience(attempting());
		Channel channel = this.loopback.channel(server, resilience, "user");
		// Without a pause, so many more than 100 a second. What a budget holds at the
		// start is spent first.
		for (int i = 0; i < 200; i++) {
			Calls.run(channel, Shop.UNARY, Loopback.within(10_000));
		}
		this.leafCalls.set(0);
		long start = System.nanoTime();
		int calls = 0;
		while (calls < 1_000) {
			Calls.run(channel, Shop.UNARY, Loopback.within(10_000));
			calls++;
		}
		double seconds = (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1);
		assertThat((double) this.leafCalls.get()).isLessThanOrEqualTo(1.1 * calls + seconds + 1);
	}

	/** How a service answers when a call that it makes fails. */
	enum HopStyle {

		/** As most do. */
		ON_ERROR(Status.Code.UNAVAILABLE) {

			@Override
			void answer(StatusRuntimeException failure, StreamObserver<String> observer) {
				observer.onError(failure);
			}

		},

		/** The blocking stub's exception leaves the handler. */
		THROW(Status.Code.UNAVAILABLE) {

			@Override
			void answer(StatusRuntimeException failure, StreamObserver<String> observer) {
				throw failure;
			}

		},

		/** Without the trailers that came. */
		STATUS_ONLY(Status.Code.UNAVAILABLE) {

			@Override
			void answer(StatusRuntimeException failure, StreamObserver<String> observer) {
				observer.onError(failure.getStatus().asRuntimeException());
			}

		},

		/** As the cause of an error of its own. */
		OWN_ERROR(Status.Code.UNAVAILABLE) {

			@Override
			void answer(StatusRuntimeException failure, StreamObserver<String> observer) {
				observer.onError(GrpcError.of(Status.Code.UNAVAILABLE).reason("SHOP_CLOSED").causedBy(failure));
			}

		},

		/** As the cause of an exception that a mapper knows. */
		MAPPED(Status.Code.UNAVAILABLE) {

			@Override
			void answer(StatusRuntimeException failure, StreamObserver<String> observer) {
				throw new ShopClosedException(failure);
			}

		},

		/** As the cause of an exception that nobody knows. */
		UNKNOWN(Status.Code.UNAVAILABLE) {

			@Override
			void answer(StatusRuntimeException failure, StreamObserver<String> observer) {
				throw new IllegalStateException(failure);
			}

		};

		private final Status.Code code;

		HopStyle(Status.Code code) {
			this.code = code;
		}

		Status.Code code() {
			return this.code;
		}

		abstract void answer(StatusRuntimeException failure, StreamObserver<String> observer);

		GrpcResilienceBuilder customize(GrpcResilienceBuilder builder) {
			return builder.errorMappers(() -> List.of(ErrorMapper.of(ShopClosedException.class,
					(closed) -> GrpcError.of(Status.Code.UNAVAILABLE).reason("SHOP_CLOSED"))), List::of);
		}

		Shop service(Channel next) {
			return new Shop().unary((request, observer) -> {
				try {
					Context.current().call(() -> Loopback.call(next, Loopback.within(8_000), request));
				}
				catch (StatusRuntimeException ex) {
					answer(ex, observer);
				}
				catch (Exception ex) {
					throw new IllegalStateException(ex);
				}
			});
		}

	}

	private static final class ShopClosedException extends RuntimeException {

		ShopClosedException(Throwable cause) {
			super(cause);
		}

	}

}
