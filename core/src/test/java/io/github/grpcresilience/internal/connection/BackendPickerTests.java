package io.github.grpcresilience.internal.connection;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer.PickDetailsConsumer;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.PickSubchannelArgs;
import io.grpc.LoadBalancer.Subchannel;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.FakeTime;
import io.github.grpcresilience.Shop;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is added to the choice of a policy, and where nothing is.
 */
class BackendPickerTests {

	private final FakeTime time = new FakeTime();

	private PickResult pick(Backends backends, PickResult chosen) {
		return new BackendPicker(new SubchannelPicker() {

			@Override
			public PickResult pickSubchannel(PickSubchannelArgs args) {
				return chosen;
			}

		}, backends).pickSubchannel(new Args());
	}

	private static PickResult ready(Backends backends, int number) {
		Backend backend = new Backend(backends,
				List.of(new EquivalentAddressGroup(new InetSocketAddress(InetAddress.getLoopbackAddress(), number))));
		backends.add(backend);
		backend.changed(ConnectivityStateInfo.forNonError(ConnectivityState.READY));
		backends.count();
		return PickResult.withSubchannel(new Chosen(backend));
	}

	@Test
	void choiceOfTheOnlyBackendIsLeftAsItIs() {
		Backends backends = new Backends(true, this.time, this.time);
		PickResult chosen = ready(backends, 1);
		assertThat(pick(backends, chosen)).isSameAs(chosen);
		assertThat(backends.describe()).singleElement().extracting(BackendState::calls).isEqualTo(1L);
	}

	@Test
	void oneOfSeveralIsWatchedAtTheCostOfATracer() {
		Backends backends = new Backends(true, this.time, this.time);
		PickResult chosen = ready(backends, 1);
		ready(backends, 2);
		PickResult picked = pick(backends, chosen);
		assertThat(picked.getSubchannel()).isSameAs(chosen.getSubchannel());
		assertThat(picked.getStreamTracerFactory()).isInstanceOf(BackendTracer.Factory.class);
		assertThat(pick(backends, chosen)).as("made once").isSameAs(picked);
	}

	@Test
	void switchedOffNothingIsAdded() {
		Backends backends = new Backends(false, this.time, this.time);
		PickResult chosen = ready(backends, 1);
		ready(backends, 2);
		assertThat(pick(backends, chosen)).isSameAs(chosen);
	}

	private static final class Chosen extends Subchannel {

		private final Backend backend;

		Chosen(Backend backend) {
			this.backend = backend;
		}

		@Override
		public void shutdown() {
		}

		@Override
		public void requestConnection() {
		}

		@Override
		public Attributes getAttributes() {
			return Attributes.newBuilder().set(Backend.KEY, this.backend).build();
		}

	}

	private static final class Args extends PickSubchannelArgs {

		@Override
		public CallOptions getCallOptions() {
			return CallOptions.DEFAULT;
		}

		@Override
		public Metadata getHeaders() {
			return new Metadata();
		}

		@Override
		public MethodDescriptor<?, ?> getMethodDescriptor() {
			return Shop.UNARY;
		}

		@Override
		public PickDetailsConsumer getPickDetailsConsumer() {
			return new PickDetailsConsumer() {
			};
		}

	}

}
