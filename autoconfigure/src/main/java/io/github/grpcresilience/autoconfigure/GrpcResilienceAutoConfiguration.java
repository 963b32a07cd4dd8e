package io.github.grpcresilience.autoconfigure;

import java.util.ArrayList;
import java.util.List;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.HttpWork;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyDefinition;
import io.github.grpcresilience.policy.PolicyFault;
import io.github.grpcresilience.policy.PolicyTable;

/**
 * {@link AutoConfiguration Auto-configuration} of gRPC Resilience. A
 * {@code GrpcResilience} or {@code EventSink} bean of the application's own replaces the
 * one defined here.
 */
@AutoConfiguration
@Conditional(OnGrpcResilienceEnabled.class)
public final class GrpcResilienceAutoConfiguration {

	/**
	 * Static, as it is needed by what processes other beans.
	 */
	@Bean
	static BoundProperties grpcResilienceProperties(Environment environment) {
		return PropertiesBinder.bind(environment);
	}

	@Bean
	@ConditionalOnMissingBean
	GrpcResilience grpcResilience(BoundProperties bound, Environment environment, EventSink events) {
		PolicyDefinitions definitions = new PolicyDefinitions(bound);
		PolicyDefinition server = definitions.server();
		PolicyDefinition client = definitions.client();
		List<PolicyFault> faults = new ArrayList<>(bound.faults());
		faults.addAll(HttpFaults.of(bound));
		faults.addAll(EdgeFaults.of(bound));
		faults.addAll(PolicyTable.check(server, client));
		if (!faults.isEmpty()) {
			throw new InvalidPolicyException(faults);
		}
		HttpWork http = bound.properties().cancellation().http();
		return GrpcResilience.builder()
			.mode(bound.properties().mode())
			.service(environment.getProperty("spring.application.name", "application"))
			.policies(server)
			.policies(client)
			.budgetHeader(http.budgetHeader(), http.budgetHosts())
			.events(events)
			.build();
	}

	@Bean
	@ConditionalOnMissingBean(EventSink.class)
	GrpcResilienceReporter grpcResilienceReporter() {
		return new GrpcResilienceReporter();
	}

	@Bean
	ApplicationListener<ApplicationReadyEvent> grpcResilienceStartReport(GrpcResilience resilience,
			ObjectProvider<GrpcResilienceReporter> reporter) {
		return (event) -> reporter.ifAvailable((available) -> available.started(resilience));
	}

}
