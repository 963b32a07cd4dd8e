package io.github.grpcresilience.fleet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.grpc.ManagedChannel;
import io.grpc.NameResolverRegistry;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;

import io.github.grpcresilience.GrpcResilience;

import static org.awaitility.Awaitility.await;

/**
 * Replicas behind one name, and two clients of theirs: one whose policy attempts again,
 * and one without a policy.
 */
final class Fleet implements AutoCloseable {

	static final String RETRYING = "retrying";

	static final String PLAIN = "plain";

	private final AddressBook addresses = new AddressBook();

	private final List<Replica> replicas = new ArrayList<>();

	private final List<ManagedChannel> channels = new ArrayList<>();

	private final GrpcResilience resilience = GrpcResilience.builder()
		.client((client) -> client.policy("again",
				(again) -> again.clients(RETRYING)
					.methods("test.v1.Shop/Unary")
					.idempotent()
					.retry((retry) -> retry.maxAttempts(3))))
		.build();

	Fleet() {
		NameResolverRegistry.getDefaultRegistry().register(this.addresses);
	}

	List<Replica> start(int count, Duration drainLimit, Duration connectionAge) {
		for (int i = 1; i <= count; i++) {
			start(new Replica("replica-" + i, drainLimit, connectionAge));
		}
		return List.copyOf(this.replicas);
	}

	/**
	 * Starts one more; clients learn of it when they ask again.
	 */
	Replica start(Replica replica) {
		this.replicas.add(replica);
		replica.start();
		this.addresses.set(this.replicas.stream().map(Replica::address).toList());
		return replica;
	}

	ManagedChannel channel(String client) {
		NettyChannelBuilder builder = NettyChannelBuilder.forTarget(AddressBook.TARGET);
		this.resilience.connections().configure(builder, client);
		this.resilience.connections().balance(builder, client, "round_robin");
		ManagedChannel channel = builder.usePlaintext().intercept(this.resilience.client(client)).build();
		this.resilience.learn(client, channel);
		this.channels.add(channel);
		return channel;
	}

	Load load(String client, int perSecond, int mostInFlight, Duration deadline) {
		return new Load(channel(client), perSecond, mostInFlight, deadline).start();
	}

	@Override
	public void close() {
		this.channels.forEach(ManagedChannel::shutdownNow);
		await().atMost(Duration.ofSeconds(20))
			.until(() -> this.channels.stream().allMatch(ManagedChannel::isTerminated));
		this.resilience.close();
		this.replicas.forEach(Replica::close);
		NameResolverRegistry.getDefaultRegistry().deregister(this.addresses);
	}

}
