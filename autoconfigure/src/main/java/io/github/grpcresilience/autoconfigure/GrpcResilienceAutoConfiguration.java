package io.github.grpcresilience.autoconfigure;

import java.util.List;
import java.util.stream.Stream;

import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.stub.AbstractStub;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.admission.netflix.NetflixLimits;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Errors;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.HttpWork;
import io.github.grpcresilience.autoconfigure.cancellation.http.HttpFaults;
import io.github.grpcresilience.autoconfigure.edge.EdgeFaults;
import io.github.grpcresilience.autoconfigure.error.ErrorFaults;
import io.github.grpcresilience.autoconfigure.error.TraceIds;
import io.github.grpcresilience.autoconfigure.gate.ApplicationGates;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.FindingSource;
import io.github.grpcresilience.autoconfigure.properties.OnGrpcResilienceEnabled;
import io.github.grpcresilience.autoconfigure.properties.PolicyDefinitions;
import io.github.grpcresilience.autoconfigure.properties.PropertiesBinder;
import io.github.grpcresilience.autoconfigure.stack.ChannelWarmUp;
import io.github.grpcresilience.autoconfigure.stack.GrpcResilienceStack;
import io.github.grpcresilience.autoconfigure.stack.StackFindings;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.ErrorSettings;
import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.PolicyFault;

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
	GrpcResilience grpcResilience(BoundProperties bound, Environment environment, EventSink events,
			ObjectProvider<ErrorMapper<?>> mappers, ObjectProvider<TraceIds> traces, ObjectProvider<RequestCheck> check,
			ObjectProvider<AdaptiveLimits> adaptive, ApplicationGates gates, ObjectProvider<FindingSource> findings,
			ApplicationContext application) {
		PolicyDefinitions definitions = new PolicyDefinitions(bound);
		PolicyDefinition client = definitions.client();
		List<PolicyFault> wrongErrors = ErrorFaults.of(bound);
		HttpWork http = bound.properties().cancellation().http();
		String service = environment.getProperty("spring.application.name", "application");
		GrpcResilienceBuilder builder = GrpcResilience.builder();
		check.ifAvailable(builder::requestCheck);
		traces.ifAvailable(builder::traces);
		adaptive.ifAvailable(builder::adaptiveLimits);
		if (wrongErrors.isEmpty()) {
			builder.errors(settings(bound.properties().errors(), service));
		}
		builder.mode(bound.properties().mode())
			.service(service)
			.policies(definitions.server())
			.policies(client)
			.attemptGates(gates)
			.budgetHeader(http.budgetHeader(), http.budgetHosts())
			// Mappers and texts may need beans that need this one: they are asked for
			// late.
			.errorMappers(() -> List.copyOf(mappers.orderedStream().toList()), libraries(application)::errors)
			.errorTexts((key, arguments, locale) -> application.getMessage(key, arguments, null, locale))
			.events(events)
			.findings(() -> findings.orderedStream().flatMap((source) -> source.findings().stream()).toList())
			.check((ofServer, ofClient) -> bound.faults())
			.check((ofServer, ofClient) -> wrongErrors)
			.check((ofServer, ofClient) -> HttpFaults.of(bound))
			.check((ofServer, ofClient) -> EdgeFaults.of(bound));
		try {
			return builder.build();
		}
		catch (InvalidPolicyException ex) {
			// Names in registries, which are looked up later where nothing else is wrong.
			throw new InvalidPolicyException(
					Stream.concat(ex.faults().stream(), gates.faults(client).stream()).toList());
		}
	}

	@Bean
	ApplicationGates grpcResilienceAttemptGates(ApplicationContext application) {
		return new ApplicationGates(libraries(application));
	}

	private static PresentLibraries libraries(ApplicationContext application) {
		return new PresentLibraries(application, application.getClassLoader());
	}

	private static ErrorSettings settings(Errors errors, String service) {
		return new ErrorSettings((errors.domain() != null) ? errors.domain() : service,
				(int) errors.maxDetailsSize().toBytes(), errors.debugInfo());
	}

	@Bean
	ConnectionValues grpcResilienceConnectionValues(GrpcResilience resilience,
			ObjectProvider<GrpcResilienceStack> stacks, Environment environment) {
		return new ConnectionValues(resilience.connections(), stacks, environment);
	}

	@Bean
	ConnectionFindings grpcResilienceConnectionFindings(ObjectProvider<ConnectionValues> values,
			ObjectProvider<GrpcResilience> resilience) {
		return new ConnectionFindings(values::getObject, resilience::getObject);
	}

	@Bean
	ChannelWarmUp grpcResilienceChannelWarmUp(GrpcResilience resilience, ObjectProvider<GrpcResilienceStack> stacks) {
		return new ChannelWarmUp(resilience, () -> stacks.orderedStream().toList());
	}

	@Bean
	StackFindings grpcResilienceStackFindings(BoundProperties bound, ObjectProvider<GrpcResilienceStack> stacks,
			ObjectProvider<GrpcResilience> resilience, ListableBeanFactory beans) {
		return new StackFindings(new PolicyDefinitions(bound).client().policies(),
				new StackFindings.Stacks(() -> stacks.orderedStream().toList(),
						() -> hasAny(beans, BindableService.class),
						() -> hasAny(beans, Channel.class) || hasAny(beans, AbstractStub.class)),
				() -> resilience.getObject().inspection());
	}

	private static boolean hasAny(ListableBeanFactory beans, Class<?> type) {
		return beans.getBeanNamesForType(type, true, false).length > 0;
	}

	@Bean
	static SingletonCreation grpcResilienceSingletonCreation() {
		return new SingletonCreation();
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

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "io.micrometer.tracing.Tracer")
	static final class Tracing {

		@Bean
		TraceIds grpcResilienceTraceIds(ObjectProvider<Tracer> tracers) {
			return () -> {
				Tracer tracer = tracers.getIfUnique();
				Span span = (tracer != null) ? tracer.currentSpan() : null;
				return (span != null) ? span.context().traceId() : null;
			};
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(name = "com.netflix.concurrency.limits.limit.VegasLimit")
	static final class AdaptiveAdmission {

		@Bean
		@ConditionalOnMissingBean(AdaptiveLimits.class)
		NetflixLimits grpcResilienceAdaptiveLimits() {
			return new NetflixLimits();
		}

	}

}
