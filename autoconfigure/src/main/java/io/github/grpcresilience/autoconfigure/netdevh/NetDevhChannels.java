package io.github.grpcresilience.autoconfigure.netdevh;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.GrpcResilience;

/**
 * Learns the channels that net.devh's factories make, of which they tell nobody: among
 * the factory's interceptors the last one is given the channel itself, and tells it, with
 * the first call, to the one that stands in the channel and knows the name of the client.
 * No bean is touched (decision 36). Safe for concurrent use.
 */
final class NetDevhChannels implements ClientInterceptor {

	private static final CallOptions.Key<@Nullable ManagedChannel> CHANNEL = CallOptions.Key
		.create("grpc-resilience-channel");

	private static final MethodDescriptor<byte[], byte[]> NOTHING = MethodDescriptor.<byte[], byte[]>newBuilder()
		.setType(MethodDescriptor.MethodType.UNARY)
		.setFullMethodName("grpc.resilience/WarmUp")
		.setRequestMarshaller(new Bytes())
		.setResponseMarshaller(new Bytes())
		.build();

	/** Replaced as a whole, under the lock. */
	private volatile List<WeakReference<ManagedChannel>> known = List.of();

	@Override
	public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
			CallOptions options, Channel next) {
		return next.newCall(method, (next instanceof ManagedChannel channel && !isKnown(channel))
				? options.withOption(CHANNEL, channel) : options);
	}

	private boolean isKnown(ManagedChannel channel) {
		for (WeakReference<ManagedChannel> one : this.known) {
			if (one.refersTo(channel)) {
				return true;
			}
		}
		return false;
	}

	private synchronized boolean add(ManagedChannel channel) {
		if (isKnown(channel)) {
			return false;
		}
		List<WeakReference<ManagedChannel>> more = new ArrayList<>(this.known);
		more.removeIf((one) -> one.refersTo(null));
		more.add(new WeakReference<>(channel));
		this.known = List.copyOf(more);
		return true;
	}

	/**
	 * Has a channel learned before its first call: one is prepared, and never started.
	 */
	void touch(Channel channel) {
		channel.newCall(NOTHING, CallOptions.DEFAULT);
	}

	/**
	 * Stands in the channel of a client.
	 * @param own our interceptor of the client
	 */
	ClientInterceptor learning(GrpcResilience resilience, String client, ClientInterceptor own) {
		return new ClientInterceptor() {

			@Override
			public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
					CallOptions options, Channel next) {
				ManagedChannel channel = options.getOption(CHANNEL);
				if (channel != null && add(channel)) {
					resilience.learn(client, channel);
				}
				return own.interceptCall(method, options, next);
			}

		};
	}

	/** Of a call that carries nothing. */
	private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

		@Override
		public InputStream stream(byte[] value) {
			return new ByteArrayInputStream(value);
		}

		@Override
		public byte[] parse(InputStream stream) {
			return new byte[0];
		}

	}

}
