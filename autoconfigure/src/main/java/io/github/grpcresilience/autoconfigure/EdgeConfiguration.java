package io.github.grpcresilience.autoconfigure;

import java.util.List;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

/**
 * What the edge needs in either web framework.
 */
@Configuration(proxyBeanMethods = false)
final class EdgeConfiguration {

	@Bean
	HttpEdge grpcResilienceHttpEdge(GrpcResilience resilience, BoundProperties bound, Environment environment) {
		// A GrpcResilience of the application's own has checked nothing.
		List<PolicyFault> faults = EdgeFaults.of(bound);
		if (!faults.isEmpty()) {
			throw new InvalidPolicyException(faults);
		}
		return new HttpEdge(resilience, bound.properties().edge(),
				environment.getProperty("spring.application.name", "application"),
				bound.isAnySet("grpc.resilience.edge"));
	}

	@Bean
	FindingSource grpcResilienceEdgeFindings(GrpcResilience resilience, HttpEdge edge) {
		return new EdgeFindings(resilience, edge);
	}

}
