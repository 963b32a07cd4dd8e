package io.github.grpcresilience.autoconfigure.stack;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.Inspection;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.internal.policy.PolicyLayer;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.Side;

/**
 * Compares the policies with what the stacks below serve and call. Safe for concurrent
 * use.
 */
public final class StackFindings implements FindingSource {

	/** The finding that nothing is protected. */
	public static final String NO_STACK = "NO_STACK";

	private final List<PolicyLayer> policies;

	private final Stacks stacks;

	/** Asked for late: what is inspected asks for findings. */
	private final Supplier<Inspection> inspected;

	/**
	 * Takes what is compared.
	 * @param policies policies of the clients
	 */
	public StackFindings(List<PolicyLayer> policies, Stacks stacks, Supplier<Inspection> inspected) {
		this.policies = policies;
		this.stacks = stacks;
		this.inspected = inspected;
	}

	@Override
	public List<Finding> findings() {
		List<GrpcResilienceStack> stacks = this.stacks.found();
		List<Finding> found = new ArrayList<>();
		if (!has(Side.SERVER) && !this.inspected.get().isServerProtected() && this.stacks.serves().getAsBoolean()) {
			found.add(unprotected("server", "services"));
		}
		if (!has(Side.CLIENT) && this.inspected.get().attemptBudgets().isEmpty()
				&& this.stacks.calls().getAsBoolean()) {
			found.add(unprotected("client", "channels or stubs"));
		}
		stacks.stream().filter((stack) -> stack.side() == Side.CLIENT).forEach((stack) -> client(stack, found));
		stacks.forEach((stack) -> found.addAll(stack.findings()));
		return found;
	}

	private boolean has(Side side) {
		return this.stacks.found().stream().anyMatch((stack) -> stack.side() == side);
	}

	private static Finding unprotected(String side, String beans) {
		return new Finding(NO_STACK, Severity.WARNING, side,
				"the application has " + beans + " of gRPC, and no starter that this library knows makes a " + side
						+ " of them, so none of their calls is protected",
				"depend on grpc-resilience-spring-boot-starter (Spring Boot 3.5, net.devh) or"
						+ " grpc-resilience-spring-boot4-starter (Spring Boot 4.1), or protect them as the page on"
						+ " plain Java says");
	}

	private void client(GrpcResilienceStack stack, List<Finding> found) {
		Set<String> known = new HashSet<>(this.inspected.get().attemptBudgets().keySet());
		known.addAll(stack.clients());
		this.policies.stream()
			.flatMap((policy) -> policy.clients().stream())
			.filter((client) -> !known.contains(client.value()))
			.forEach((client) -> found.add(unmatched(client, stack)));
		stack.channelAttempts()
			.forEach((client, methods) -> this.policies.stream()
				.flatMap((policy) -> shared(policy, client, methods))
				.forEach((method) -> found.add(twoOwners(client, method))));
	}

	private static Finding unmatched(Setting<String> client, GrpcResilienceStack stack) {
		return new Finding("UNMATCHED_CLIENT", Severity.WARNING, client.value(),
				client.origin().property() + " (" + client.origin().location()
						+ ") names a client that is not configured and of which no channel was made",
				stack.clientRemedy());
	}

	/**
	 * Methods of a policy with further attempts of which a channel makes some too.
	 */
	private static Stream<Setting<String>> shared(PolicyLayer policy, String client, Set<String> ofChannel) {
		boolean forClient = policy.clients().isEmpty()
				|| policy.clients().stream().anyMatch((name) -> name.value().equals(client));
		boolean attempts = policy.settings()
			.keySet()
			.stream()
			.anyMatch((key) -> key.name().startsWith("retry.") || key.name().startsWith("hedge."));
		return (!forClient || !attempts) ? Stream.of()
				: policy.methods()
					.stream()
					.filter((method) -> ofChannel.stream().anyMatch((other) -> overlap(method.value(), other)));
	}

	private static boolean overlap(String method, String other) {
		return other.isEmpty() || method.equals(other) || method.startsWith(other + "/")
				|| other.startsWith(method + "/");
	}

	private static Finding twoOwners(String client, Setting<String> method) {
		return new Finding("TWO_RETRY_OWNERS", Severity.WARNING, method.value(),
				method.origin().property() + " (" + method.origin().location()
						+ ") asks for further attempts, and so does the service config of client " + client
						+ ", which then makes them instead, without a budget",
				"remove the retry or hedging of the service config, or the retry or hedge of the policy");
	}

	/**
	 * What there is below.
	 *
	 * @param of the stacks that are protected
	 * @param serves whether the application has services
	 * @param calls whether the application has channels or stubs
	 */
	public record Stacks(Supplier<List<GrpcResilienceStack>> of, BooleanSupplier serves, BooleanSupplier calls) {

		List<GrpcResilienceStack> found() {
			return this.of.get();
		}

	}

}
