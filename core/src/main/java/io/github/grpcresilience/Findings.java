package io.github.grpcresilience;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.Finding.Severity;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.internal.connection.Balancing;
import io.github.grpcresilience.internal.method.CalledMethod;
import io.github.grpcresilience.internal.method.KnownMethod;
import io.github.grpcresilience.internal.method.ServedMethod;
import io.github.grpcresilience.internal.policy.AdmissionPolicy;
import io.github.grpcresilience.internal.policy.AdmissionSettings;
import io.github.grpcresilience.internal.policy.AttemptSettings;
import io.github.grpcresilience.internal.policy.DeadlinePolicy;
import io.github.grpcresilience.internal.policy.DeadlineSettings;
import io.github.grpcresilience.internal.policy.Origin;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;
import io.github.grpcresilience.internal.policy.SettingText;
import io.github.grpcresilience.policy.MissingDeadline;

/**
 * Looks for findings. Confined to one call.
 */
final class Findings {

	private final List<Finding> found = new ArrayList<>();

	void addAll(List<Finding> findings) {
		this.found.addAll(findings);
	}

	List<Finding> found() {
		return List.copyOf(this.found);
	}

	/**
	 * Policies that name nothing that the server serves.
	 */
	void unmatched(PolicyTable table, List<ServerServiceDefinition> services) {
		Set<String> served = services.stream()
			.flatMap((service) -> service.getMethods().stream())
			.map((method) -> method.getMethodDescriptor().getFullMethodName())
			.collect(Collectors.toSet());
		services.forEach((service) -> served.add(service.getServiceDescriptor().getName()));
		for (String target : table.targets()) {
			if (!served.contains(target)) {
				Origin origin = table.originOf(target);
				this.found.add(new Finding("UNMATCHED_METHOD", Severity.WARNING, target,
						origin.property() + " (" + origin.location() + ") names a method or service that is not served",
						"correct the name, or remove it"));
			}
		}
	}

	/**
	 * Servers that nobody needs: they have nothing but what every server has.
	 */
	void idle(PolicyTable table, List<Server> servers) {
		for (Server server : servers) {
			if (!server.isShutdown() && server.getServices()
				.stream()
				.allMatch((service) -> table.isExempt(service.getServiceDescriptor().getName()))) {
				this.found.add(new Finding("SERVER_WITHOUT_SERVICE", Severity.WARNING,
						server.getListenSockets().toString(),
						"a gRPC server listens and serves nothing of this application",
						"leave the server out (grpc-resilience-client-spring-boot-starter brings none, grpc.server.port:"
								+ " -1 starts none), unless somebody probes its health"));
			}
		}
	}

	/**
	 * Policies of clients that name what does not exist, as far as calls have told.
	 * @param service the service that is looked at; {@code null} for all
	 */
	void unmatched(PolicyTable table, CalledServices called, @Nullable String service) {
		for (String target : table.targets()) {
			Map.Entry<String, String> fault = called.fault(target);
			Origin origin = table.originOf(target);
			if (fault != null && (service == null || CalledServices.isOf(service, target))) {
				this.found.add(new Finding("UNMATCHED_METHOD", Severity.WARNING, target,
						origin.property() + " (" + origin.location() + ") " + fault.getKey(), fault.getValue()));
			}
			else if (fault == null && service == null && !called.isCalled(target)) {
				this.found.add(new Finding("UNMATCHED_METHOD", Severity.INFO, target,
						origin.property() + " (" + origin.location()
								+ ") names a service that no client has called since the start",
						"nothing, if that is so; else correct the name"));
			}
		}
	}

	/**
	 * What callers see of errors, and requests that cannot be checked.
	 */
	void ofBrokenChecks(Map<String, String> brokenChecks) {
		brokenChecks.forEach((method, why) -> this.found.add(new Finding("REQUEST_CHECK_BROKEN", Severity.WARNING,
				method, "its requests cannot be checked, so that every call fails: " + why,
				"correct the rules of its messages, or set grpc.resilience.errors.validate-requests to false")));
	}

	void ofErrors(ErrorSettings errors) {
		if (errors.debugInfo()) {
			this.found.add(new Finding("DEBUG_INFO", Severity.WARNING, "grpc.resilience.errors.debug-info",
					"callers see the stack traces of exceptions that nobody has an answer for",
					"remove the property, or set it to false, wherever callers are not developers"));
		}
	}

	void ofServed(String prefix, Collection<ServedMethod> methods) {
		for (ServedMethod method : methods) {
			deadlines(prefix, method);
			unboundedStream(method);
		}
	}

	void ofCalled(String prefix, Collection<CalledMethod> methods) {
		for (CalledMethod method : methods) {
			deadlines(prefix, method);
			attempts(prefix, method);
			if (method.isKeepaliveRejected()) {
				this.found.add(new Finding("KEEPALIVE_REJECTED", Severity.WARNING, method.name(),
						CalledMethod.KEEPALIVE_REJECTED, CalledMethod.KEEPALIVE_REMEDY));
			}
			if (method.isCalledByNobody()) {
				this.found.add(new Finding("TASK_WITHOUT_CALL", Severity.INFO, method.name(),
						"it is called by tasks that a call began and that belong to no call, so they inherit no"
								+ " deadline and go on when the call has ended",
						"nothing, if they are meant to; else return a future from the @Async method, or set"
								+ " grpc.resilience.cancellation.executors.beans.<name> to call"));
			}
		}
	}

	/**
	 * Channels that spread their calls otherwise than one would think.
	 */
	void ofChannels(Map<String, List<Balancing>> channels) {
		channels.forEach((client, ways) -> {
			if (ways.stream().anyMatch((way) -> way.use() == Balancing.Use.REPLACED)) {
				this.found.add(new Finding("BALANCING_IGNORED", Severity.INFO, client,
						"a service config, such as a resolver's or xDS's, names another load-balancing policy: further"
								+ " attempts may go to the same server, and none is left alone that fails",
						"nothing, if whoever wrote it sees to that; else remove loadBalancingConfig from it"));
			}
			ways.stream()
				.filter((way) -> way.unresolved() != null)
				.findFirst()
				.ifPresent((way) -> this.found.add(new Finding("NAME_UNRESOLVED", Severity.WARNING, client,
						"its name " + way.target() + " leads to no address: " + way.unresolved(),
						"correct the name, or see why it is not known; it is looked up again every now and then")));
			ways.stream()
				.filter(Balancing::isPinned)
				.findFirst()
				.ifPresent((way) -> this.found.add(new Finding("PINNED", Severity.INFO, client,
						"its name " + way.target() + " has only ever led to one address, so that all of its calls take"
								+ " one connection, whatever " + way.policy() + " is for",
						"nothing, if there is one server, or a load balancer that knows HTTP/2; else let the name"
								+ " resolve to all servers (on Kubernetes a headless Service)")));
		});
	}

	private void deadlines(String prefix, KnownMethod method) {
		if (method.counts().hasStreamWithoutDeadline()) {
			this.found.add(new Finding("STREAM_WITHOUT_DEADLINE", Severity.WARNING, method.name(),
					"a stream runs without any deadline, so a peer that goes silent holds it for ever",
					"set deadline.default in a policy below " + prefix + ".policies that names " + method.name()));
		}
		shortenedDefault(prefix, method);
	}

	/**
	 * Streams that somebody meant to limit by measuring what they do not tell.
	 */
	private void unboundedStream(ServedMethod method) {
		AdmissionPolicy admission = method.policy().admission();
		Setting<?> adaptive = method.settings().get(AdmissionSettings.ADAPTIVE.name());
		if (admission.adaptive() && adaptive != null && !admission.hasMaxConcurrent()
				&& method.type() != MethodType.UNARY) {
			this.found.add(new Finding("ADAPTIVE_STREAM", Severity.WARNING, method.name(),
					adaptive.origin().property() + " (" + adaptive.origin().location()
							+ ") does not limit a stream: how long it lasts says nothing of how busy the server is",
					"set admission.max-concurrent in a policy that names " + method.name()));
		}
	}

	private void shortenedDefault(String prefix, KnownMethod method) {
		DeadlinePolicy deadline = method.policy().deadline();
		Setting<?> value = method.settings().get(DeadlineSettings.DEFAULT.name());
		Setting<?> max = method.settings().get(DeadlineSettings.MAX.name());
		if (value != null && max != null && isOfPolicy(prefix, value) && !isOfPolicy(prefix, max)
				&& SettingKey.isAbove(value, deadline.maxNanos())) {
			this.found.add(new Finding("DEFAULT_ABOVE_MAX", Severity.WARNING, method.name(),
					value.origin().property() + " = " + SettingText.of(value.value()) + " (" + value.origin().location()
							+ ") is shortened to " + max.origin().property() + " = " + SettingText.of(max.value())
							+ " (" + max.origin().location() + ")",
					"set deadline.max in the same policy"));
		}
	}

	private static boolean isOfPolicy(String prefix, Setting<?> setting) {
		return setting.origin().property().startsWith(prefix + ".policies.") && !setting.origin().isBuiltIn();
	}

	private void attempts(String prefix, CalledMethod method) {
		if (method.isHeldToOneAttempt()) {
			this.found.add(new Finding("NOT_IDEMPOTENT", Severity.WARNING, method.name(),
					"its policy asks for further attempts, but nobody says that calls may be made more than once, so"
							+ " they are made once",
					"set idempotent: true in a policy below " + prefix + ".policies that names " + method.name()
							+ ", or idempotency_level in its proto, or remove its retry or hedge"));
		}
		if (method.isAttemptedByChannel()) {
			this.found.add(new Finding("CHANNEL_ATTEMPTS", Severity.WARNING, method.name(),
					"the channel of client " + method.client()
							+ " retries or hedges it by its service config, so its policy here is not applied",
					"remove the retryPolicy or hedgingPolicy of the service config, or the retry or hedge of the"
							+ " policy"));
		}
		Setting<?> timeout = method.settings().get(AttemptSettings.ATTEMPT_TIMEOUT.name());
		DeadlinePolicy deadline = method.policy().deadline();
		long total = (deadline.missing() == MissingDeadline.DEFAULT) ? deadline.defaultNanos() : deadline.maxNanos();
		if (timeout != null && SettingKey.isAbove(timeout, total)) {
			this.found.add(new Finding("ATTEMPT_TIMEOUT_ABOVE_DEADLINE", Severity.WARNING, method.name(),
					timeout.origin().property() + " = " + SettingText.of(timeout.value()) + " ("
							+ timeout.origin().location()
							+ ") is more than a call without a deadline of its own may take in all",
					"set it to a part of deadline.default, or raise the default"));
		}
	}

}
