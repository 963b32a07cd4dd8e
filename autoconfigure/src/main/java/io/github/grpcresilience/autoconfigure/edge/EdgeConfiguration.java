package io.github.grpcresilience.autoconfigure.edge;

import java.util.List;
import java.util.UUID;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceEdgeCustomizer;
import io.github.grpcresilience.autoconfigure.error.TraceIds;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * What the edge needs in either web framework.
 */
@Configuration(proxyBeanMethods = false)
public final class EdgeConfiguration {

	@Bean
	HttpEdge grpcResilienceHttpEdge(GrpcResilience resilience, BoundProperties bound, Environment environment,
			ObjectProvider<TraceIds> traces, ObjectProvider<GrpcResilienceEdgeCustomizer> customizers) {
		// A GrpcResilience of the application's own has checked nothing.
		List<PolicyFault> faults = EdgeFaults.of(bound);
		if (!faults.isEmpty()) {
			throw new InvalidPolicyException(faults);
		}
		return new HttpEdge(resilience, bound.properties().edge(),
				environment.getProperty("spring.application.name", "application"),
				bound.isAnySet("grpc.resilience.edge"), () -> id(traces.getIfAvailable()), customizers::orderedStream);
	}

	/**
	 * The id of the trace, else a random one in the same form.
	 */
	private static String id(@Nullable TraceIds traces) {
		String trace = (traces != null) ? find(traces) : null;
		return (trace != null && !trace.isEmpty()) ? trace : UUID.randomUUID().toString().replace("-", "");
	}

	private static @Nullable String find(TraceIds traces) {
		try {
			return traces.get();
		}
		catch (RuntimeException ex) {
			return null; // the id is needed even where tracing is broken
		}
	}

	@Bean
	FindingSource grpcResilienceEdgeFindings(GrpcResilience resilience, HttpEdge edge) {
		return new EdgeFindings(resilience, edge);
	}

}
