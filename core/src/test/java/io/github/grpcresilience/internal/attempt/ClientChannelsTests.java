package io.github.grpcresilience.internal.attempt;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;

import static org.assertj.core.api.Assertions.assertThat;

class ClientChannelsTests {

	private final FakeTime time = new FakeTime();

	private double random = 0.5;

	private final ClientChannels channels = new ClientChannels(this.time, this.time, () -> this.random, Runnable::run);

	private final Known channel = new Known();

	@Test
	void channelIsResetWhileAnybodyWaits() {
		this.channels.learn(this.channel);
		this.time.pass(Duration.ofSeconds(7));
		assertThat(this.channel.resets).as("nobody waits").isZero();
		this.channels.beginWaiting();
		this.channels.beginWaiting();
		this.time.pass(Duration.ZERO);
		assertThat(this.channel.resets).isOne();
		this.time.pass(Duration.ofMillis(499));
		assertThat(this.channel.resets).isOne();
		this.time.pass(Duration.ofMillis(1));
		assertThat(this.channel.resets).isEqualTo(2);
		this.channels.endWaiting();
		this.time.pass(Duration.ofMillis(500));
		assertThat(this.channel.resets).isEqualTo(3);
		this.channels.endWaiting();
		assertThat(this.time.pending()).isZero();
	}

	@Test
	void manyWaitsAfterOneAnotherResetItNoMoreOften() {
		this.channels.learn(this.channel);
		for (int i = 0; i < 700; i++) {
			this.channels.beginWaiting();
			this.time.pass(Duration.ofMillis(10));
			this.channels.endWaiting();
		}
		assertThat(this.channel.resets).as("in seven seconds, both ends included").isEqualTo(15);
	}

	@Test
	void pauseIsChangedByUpToAHalf() {
		this.random = 0.0;
		this.channels.learn(this.channel);
		this.channels.beginWaiting();
		this.time.pass(Duration.ofMillis(250));
		assertThat(this.channel.resets).isEqualTo(2);
		this.random = 1.0;
		this.time.pass(Duration.ofMillis(250));
		assertThat(this.channel.resets).isEqualTo(3);
		this.time.pass(Duration.ofMillis(749));
		assertThat(this.channel.resets).isEqualTo(3);
		this.time.pass(Duration.ofMillis(1));
		assertThat(this.channel.resets).isEqualTo(4);
	}

	@Test
	void channelThatIsLearntWhileAttemptsWaitIsReset() {
		this.channels.beginWaiting();
		assertThat(this.time.pending()).as("there is nothing to reset").isZero();
		this.channels.learn(this.channel);
		this.channels.learn(this.channel);
		this.time.pass(Duration.ZERO);
		assertThat(this.channel.resets).isOne();
	}

	@Test
	void channelThatIsReadyIsLeftAlone() {
		this.channels.learn(this.channel);
		this.channel.state = ConnectivityState.READY;
		this.channels.beginWaiting();
		this.time.pass(Duration.ofSeconds(7));
		assertThat(this.channel.resets).isZero();
	}

	@Test
	void channelThatIsShutDownIsForgotten() {
		this.channels.learn(this.channel);
		this.channel.shutdown();
		this.channels.beginWaiting();
		this.time.pass(Duration.ofSeconds(7));
		assertThat(this.channel.resets).isZero();
		assertThat(this.time.pending()).isZero();
	}

	@Test
	void channelThatDoesNotTellItsStateIsForgotten() {
		this.channel.state = null;
		this.channels.learn(this.channel);
		this.channels.beginWaiting();
		this.time.pass(Duration.ofSeconds(7));
		assertThat(this.time.pending()).isZero();
	}

	private static final class Known extends ManagedChannel {

		private int resets;

		private ConnectivityState state = ConnectivityState.TRANSIENT_FAILURE;

		private boolean shutdown;

		@Override
		public ConnectivityState getState(boolean requestConnection) {
			return (this.state != null) ? this.state : super.getState(requestConnection);
		}

		@Override
		public void resetConnectBackoff() {
			this.resets++;
		}

		@Override
		public ManagedChannel shutdown() {
			this.shutdown = true;
			return this;
		}

		@Override
		public boolean isShutdown() {
			return this.shutdown;
		}

		@Override
		public boolean isTerminated() {
			return this.shutdown;
		}

		@Override
		public ManagedChannel shutdownNow() {
			return shutdown();
		}

		@Override
		public boolean awaitTermination(long timeout, TimeUnit unit) {
			return this.shutdown;
		}

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> newCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options) {
			throw new IllegalStateException("nobody calls");
		}

		@Override
		public String authority() {
			return "shop";
		}

	}

}
