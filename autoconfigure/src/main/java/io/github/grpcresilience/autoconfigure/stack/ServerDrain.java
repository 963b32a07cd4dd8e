package io.github.grpcresilience.autoconfigure.stack;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.grpc.Server;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.core.Ordered;

import io.github.grpcresilience.Drain;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.internal.policy.DrainSettings;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.policy.Mode;

/**
 * Lets the servers of a stack go away as the settings say. The first to hear that the
 * context closes: health and readiness go down, and the pause is waited for, while all
 * else is as ever. The stack shuts its servers down itself, in the first phase of
 * Spring's lifecycle, and waits until they are terminated; its channels are closed after
 * that, with the other beans. Safe for concurrent use; all but {@link #findings} is
 * called by who starts and closes the context.
 */
public final class ServerDrain implements ApplicationListener<ContextClosedEvent>, Ordered, FindingSource {

	private static final Duration LEAD = Duration.ofSeconds(1);

	private final GrpcResilience resilience;

	private final ApplicationContext context;

	private final Supplier<Stream<ServerHealth>> health;

	private final Supplier<Stream<GrpcResilienceStack>> stacks;

	private final Set<Server> running = new CopyOnWriteArraySet<>();

	ServerDrain(GrpcResilience resilience, ApplicationContext context, Supplier<Stream<ServerHealth>> health,
			Supplier<Stream<GrpcResilienceStack>> stacks) {
		this.resilience = resilience;
		this.context = context;
		this.health = health;
		this.stacks = stacks;
	}

	@Override
	public int getOrder() {
		return HIGHEST_PRECEDENCE;
	}

	/**
	 * A server has started.
	 * @param server the server
	 */
	public void started(Server server) {
		this.running.add(server);
	}

	@Override
	public void onApplicationEvent(ContextClosedEvent event) {
		// Contexts below this one tell it of their end too.
		if (event.getApplicationContext() != this.context || this.resilience.mode() == Mode.OBSERVE
				|| this.running.stream().allMatch(Server::isShutdown)) {
			return;
		}
		Drain drain = this.resilience.drain();
		drain.closing();
		this.health.get().forEach(ServerHealth::notServing);
		AvailabilityChangeEvent.publish(this.context, ReadinessState.REFUSING_TRAFFIC);
		drain.pause();
	}

	/**
	 * A server will be shut down in a moment.
	 * @param server the server
	 * @param stack whose server it is
	 */
	public void begin(Server server, GrpcResilienceStack stack) {
		this.resilience.drain().begin(server, stack.shutdownGrace());
	}

	/**
	 * A server is terminated.
	 * @param server the server
	 */
	public void end(Server server) {
		this.running.remove(server);
		this.resilience.drain().end(server);
	}

	@Override
	public List<Finding> findings() {
		List<Finding> found = new ArrayList<>();
		if (this.resilience.mode() == Mode.ENFORCE) {
			this.stacks.get().forEach((stack) -> compare(stack, found));
		}
		return found;
	}

	private void compare(GrpcResilienceStack stack, List<Finding> found) {
		Duration grace = stack.shutdownGrace();
		Drain drain = this.resilience.drain();
		Map<String, Setting<?>> settings = drain.settings();
		Setting<?> limit = settings.get(DrainSettings.LIMIT.name());
		Duration left = drain.limit(grace);
		if (grace != null && limit != null && left.compareTo(drain.limit()) < 0) {
			found.add(new Finding("DRAIN_CUT_SHORT", limit.origin().isBuiltIn() ? Severity.INFO : Severity.WARNING,
					limit.origin().property(),
					SettingText.of(limit.value()) + " (" + limit.origin().location() + ") does not fit into "
							+ stack.shutdownGraceProperty() + " = " + SettingText.of(grace)
							+ ", after which calls are cut: when the server shuts down, they end after "
							+ SettingText.of(left),
					"set " + stack.shutdownGraceProperty() + " to " + SettingText.of(drain.limit().plus(LEAD))
							+ " or more, or " + limit.origin().property() + " to " + SettingText.of(left)));
		}
	}

}
