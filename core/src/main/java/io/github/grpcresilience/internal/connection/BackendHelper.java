package io.github.grpcresilience.internal.connection;

import java.util.List;

import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer.CreateSubchannelArgs;
import io.grpc.LoadBalancer.Helper;
import io.grpc.LoadBalancer.Subchannel;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.LoadBalancer.SubchannelStateListener;
import io.grpc.util.ForwardingLoadBalancerHelper;
import io.grpc.util.ForwardingSubchannel;

/**
 * Stands between a policy and its channel, and watches what they make of backends. Called
 * by the channel, one callback at a time.
 */
final class BackendHelper extends ForwardingLoadBalancerHelper {

	private final Helper channel;

	private final Backends backends;

	BackendHelper(Helper channel, Backends backends) {
		this.channel = channel;
		this.backends = backends;
	}

	@Override
	protected Helper delegate() {
		return this.channel;
	}

	@Override
	public Subchannel createSubchannel(CreateSubchannelArgs args) {
		Backend backend = new Backend(this.backends, args.getAddresses());
		Subchannel subchannel = super.createSubchannel(args.toBuilder()
			.setAttributes(args.getAttributes().toBuilder().set(Backend.KEY, backend).build())
			.build());
		this.backends.add(backend);
		return new Watched(subchannel, backend);
	}

	@Override
	public void updateBalancingState(ConnectivityState state, SubchannelPicker picker) {
		super.updateBalancingState(state, new BackendPicker(picker, this.backends));
	}

	private static final class Watched extends ForwardingSubchannel {

		private final Subchannel subchannel;

		private final Backend backend;

		Watched(Subchannel subchannel, Backend backend) {
			this.subchannel = subchannel;
			this.backend = backend;
		}

		@Override
		protected Subchannel delegate() {
			return this.subchannel;
		}

		@Override
		public void start(SubchannelStateListener listener) {
			super.start((info) -> {
				this.backend.changed(info);
				this.backend.others().count();
				listener.onSubchannelState(info);
			});
		}

		@Override
		public void updateAddresses(List<EquivalentAddressGroup> addresses) {
			this.backend.moved(addresses);
			super.updateAddresses(addresses);
		}

		@Override
		public void shutdown() {
			super.shutdown();
			this.backend.others().remove(this.backend);
		}

	}

}
