package io.github.grpcresilience;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;

import com.google.protobuf.Descriptors;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoServiceDescriptorSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Services that clients have called, with the methods that their protos have. Safe for
 * concurrent use.
 */
final class CalledServices {

	/** What policies name. */
	private final Set<String> targets;

	/** Without methods where the stub does not know its proto. */
	private final ConcurrentMap<String, Set<String>> methods = new ConcurrentHashMap<>();

	CalledServices(Set<String> targets) {
		this.targets = targets;
	}

	/**
	 * Notes a call. What no policy names is not looked at: that would load its proto.
	 * @return whether it is the first one of its service, and a policy names that
	 */
	boolean add(MethodDescriptor<?, ?> method) {
		String service = method.getServiceName();
		return service != null && !this.methods.containsKey(service)
				&& this.targets.stream().anyMatch((target) -> isOf(service, target))
				&& this.methods.putIfAbsent(service, methodsOf(method)) == null;
	}

	/**
	 * Whether what a policy names is a service or one of its methods, perhaps with a dot
	 * for the slash.
	 */
	static boolean isOf(String service, String target) {
		return target.startsWith(service)
				&& (target.length() == service.length() || "/.".indexOf(target.charAt(service.length())) >= 0);
	}

	private static Set<String> methodsOf(MethodDescriptor<?, ?> method) {
		return (method.getSchemaDescriptor() instanceof ProtoServiceDescriptorSupplier schema)
				? schema.getServiceDescriptor()
					.getMethods()
					.stream()
					.map(Descriptors.MethodDescriptor::getName)
					.collect(Collectors.toUnmodifiableSet())
				: Set.of();
	}

	/**
	 * Whether the service of what a policy names was called.
	 */
	boolean isCalled(String target) {
		return this.methods.containsKey(serviceOf(target));
	}

	private static String serviceOf(String target) {
		int slash = target.indexOf('/');
		return (slash < 0) ? target : target.substring(0, slash);
	}

	/**
	 * Why what a policy names cannot be called.
	 * @return what is wrong and what to do; {@code null} if nothing is known
	 */
	Map.@Nullable Entry<String, String> fault(String target) {
		int slash = target.indexOf('/');
		String service = serviceOf(target);
		Set<String> known = this.methods.get(service);
		if (known != null) {
			return (slash < 0 || known.isEmpty() || known.contains(target.substring(slash + 1))) ? null
					: Map.entry("is no method of " + service, "correct the name, or remove it");
		}
		int dot = target.lastIndexOf('.');
		String owner = (slash < 0 && dot > 0) ? target.substring(0, dot) : "";
		return this.methods.containsKey(owner) ? Map.entry("is no service, but looks like a method of " + owner,
				"write " + owner + "/" + target.substring(dot + 1)) : null;
	}

}
