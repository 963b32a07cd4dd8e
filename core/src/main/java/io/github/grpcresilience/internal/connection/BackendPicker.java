package io.github.grpcresilience.internal.connection;

import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.PickSubchannelArgs;
import io.grpc.LoadBalancer.SubchannelPicker;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.method.PlacedAttempt;

/**
 * Has the policy choose again where its first choice is not the best: a backend that an
 * earlier attempt of the call went to, or one that is better left alone for a while. If
 * there is none better the choice stands. Called on any thread; takes no lock.
 */
final class BackendPicker extends SubchannelPicker {

	/** Most choices for one call; a policy that chooses at random needs a few. */
	private static final int MAX_PICKS = 8;

	private final SubchannelPicker policy;

	private final Backends backends;

	BackendPicker(SubchannelPicker policy, Backends backends) {
		this.policy = policy;
		this.backends = backends;
	}

	@Override
	public PickResult pickSubchannel(PickSubchannelArgs args) {
		PickResult result = this.policy.pickSubchannel(args);
		Backend backend = Backend.of(result);
		if (backend == null) {
			return result;
		}
		if (this.backends.ready() < 2) {
			backend.chosen();
			return result;
		}
		PlacedAttempt attempt = attempt(args.getCallOptions());
		int fault = fault(backend, attempt);
		if (fault > 0) {
			result = better(result, fault, args, attempt);
			backend = Backend.of(result);
		}
		return (backend != null) ? chosen(backend, result, attempt) : result;
	}

	private PickResult chosen(Backend backend, PickResult result, @Nullable PlacedAttempt attempt) {
		backend.chosen();
		if (attempt != null) {
			attempt.place(backend);
		}
		return this.backends.isShielded() ? backend.traced(result) : result;
	}

	/**
	 * Goes on where the policy is: one that goes around passes over those that are left
	 * alone, and the rest shares their calls evenly.
	 */
	private PickResult better(PickResult first, int itsFault, PickSubchannelArgs args,
			@Nullable PlacedAttempt attempt) {
		PickResult best = first;
		int least = itsFault;
		for (int picks = 1; picks < MAX_PICKS && least > 0; picks++) {
			PickResult result = this.policy.pickSubchannel(args);
			Backend backend = Backend.of(result);
			int fault = (backend != null) ? fault(backend, attempt) : Integer.MAX_VALUE;
			if (fault < least) {
				best = result;
				least = fault;
			}
		}
		return best;
	}

	/** Rather the same one again than one that is out of order. */
	private static int fault(Backend backend, @Nullable PlacedAttempt attempt) {
		return (backend.isAvoided() ? 2 : 0) + ((attempt != null && attempt.isAfterOneOn(backend)) ? 1 : 0);
	}

	private static @Nullable PlacedAttempt attempt(CallOptions options) {
		for (ClientStreamTracer.Factory factory : options.getStreamTracerFactories()) {
			if (factory instanceof PlacedAttempt attempt) {
				return attempt;
			}
		}
		return null;
	}

}
