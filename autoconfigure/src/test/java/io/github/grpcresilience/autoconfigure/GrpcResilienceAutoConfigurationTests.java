package io.github.grpcresilience.autoconfigure;

import java.lang.reflect.Proxy;

import io.grpc.stub.AbstractStub;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.test.simple.SimpleSpan;
import io.micrometer.tracing.test.simple.SimpleTracer;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelConfigurer;
import net.devh.boot.grpc.client.stubfactory.StubFactory;
import net.devh.boot.grpc.server.interceptor.GlobalServerInterceptorConfigurer;
import net.devh.boot.grpc.server.serverfactory.GrpcServerConfigurer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.web.client.RestClientAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.MessageSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.StaticMessageSource;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.web.client.RestClient;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.admission.AdaptiveLimits;
import io.github.grpcresilience.autoconfigure.cancellation.http.HttpClientCancellationAutoConfiguration;
import io.github.grpcresilience.autoconfigure.error.TraceIds;
import io.github.grpcresilience.autoconfigure.netdevh.NetDevhClientAutoConfiguration;
import io.github.grpcresilience.autoconfigure.netdevh.NetDevhServerAutoConfiguration;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.InvalidPolicyFailureAnalyzer;
import io.github.grpcresilience.autoconfigure.properties.PolicyDefinitions;
import io.github.grpcresilience.event.EventSink;
import io.github.grpcresilience.internal.admission.AdmissionUsage;
import io.github.grpcresilience.internal.admission.AdmissionUsage.Use;
import io.github.grpcresilience.internal.admission.ServerAdmission;
import io.github.grpcresilience.internal.policy.AdmissionPolicy;
import io.github.grpcresilience.internal.policy.PolicyDefinition;
import io.github.grpcresilience.internal.policy.PolicyTable;
import io.github.grpcresilience.internal.policy.RelaySettings;
import io.github.grpcresilience.policy.InvalidPolicyException;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;

class GrpcResilienceAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withPropertyValues("management.endpoints.web.exposure.include=*")
		.withConfiguration(
				AutoConfigurations.of(GrpcResilienceAutoConfiguration.class, NetDevhServerAutoConfiguration.class,
						NetDevhClientAutoConfiguration.class, GrpcResilienceEndpointAutoConfiguration.class));

	@Test
	void everythingIsThereByDefault() {
		this.runner.run((context) -> assertThat(context).hasNotFailed()
			.hasSingleBean(GrpcResilience.class)
			.hasSingleBean(GrpcResilienceReporter.class)
			.hasBean("grpcResilienceServerConfigurer")
			.hasBean("grpcResilienceConnectionConfigurer")
			.hasSingleBean(GlobalServerInterceptorConfigurer.class)
			.hasBean("grpcResilienceChannelConfigurer")
			.hasBean("grpcResilienceConnections")
			.hasSingleBean(StubFactory.class)
			.hasSingleBean(GrpcResilienceEndpoint.class));
	}

	@Test
	void secondSourceOfMessagesDoesNoHarm() {
		this.runner.withBean("others", MessageSource.class, StaticMessageSource::new)
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(GrpcResilience.class));
	}

	@Test
	void nothingIsThereWhenDisabled() {
		this.runner.withPropertyValues("grpc.resilience.enabled=false").run((context) -> {
			assertThat(context).hasNotFailed();
			assertThat(context.getBeanDefinitionNames()).noneMatch((name) -> name.contains("esilience"));
		});
	}

	@Test
	void misspeltEnabledFailsTheStartInsteadOfSwitchingOff() {
		this.runner.withPropertyValues("grpc.resilience.enabled=fales")
			.run((context) -> assertThat(context).getFailure().hasRootCauseInstanceOf(InvalidPolicyException.class));
	}

	@Test
	void serverPartNeedsTheServerStarter() {
		this.runner.withClassLoader(new FilteredClassLoader(GrpcServerConfigurer.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("grpcResilienceServerConfigurer")
				.hasBean("grpcResilienceChannelConfigurer"));
	}

	@Test
	void clientPartNeedsTheClientStarter() {
		this.runner.withClassLoader(new FilteredClassLoader(GrpcChannelConfigurer.class, StubFactory.class))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("grpcResilienceChannelConfigurer")
				.hasBean("grpcResilienceServerConfigurer"));
	}

	@Test
	void endpointNeedsTheActuator() {
		this.runner.withClassLoader(new FilteredClassLoader("org.springframework.boot.actuate"))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean("grpcResilienceEndpoint")
				.hasSingleBean(GrpcResilience.class));
	}

	@Test
	void endpointIsAbsentWhereItIsNotExposed() {
		this.runner.withPropertyValues("management.endpoints.web.exposure.include=health")
			.run((context) -> assertThat(context).doesNotHaveBean(GrpcResilienceEndpoint.class));
	}

	@Test
	void usersBeansReplaceOurs() {
		this.runner.withUserConfiguration(Own.class).run((context) -> {
			assertThat(context).hasSingleBean(GrpcResilience.class).doesNotHaveBean(GrpcResilienceReporter.class);
			assertThat(context.getBean(GrpcResilience.class).mode()).isEqualTo(Mode.OBSERVE);
		});
	}

	@Test
	void failureAnalysisListsAllFaults() {
		this.runner
			.withPropertyValues("grpc.resilience.mode=off", "grpc.resilience.server.deadline.max=-7s",
					"grpc.resilience.server.deadlin.max=1s")
			.run((context) -> {
				FailureAnalysis analysis = new InvalidPolicyFailureAnalyzer().analyze(context.getStartupFailure());
				assertThat(analysis).isNotNull();
				assertThat(analysis.getDescription()).startsWith("3 settings of gRPC Resilience are invalid:")
					.contains("Property: grpc.resilience.mode", "Value: \"off\"", "write one of: enforce, observe",
							"Property: grpc.resilience.server.deadline.max", "Value: \"-7s\"", "must be positive",
							"Property: grpc.resilience.server.deadlin.max", "is not a known property",
							"there are: deadline, exempt-services, policies");
			});
	}

	@ParameterizedTest
	@ValueSource(strings = { "6KB", "100B", "-1B", "huge" })
	void sizeOfDetailsThatHarmsIsAFault(String size) {
		this.runner.withPropertyValues("grpc.resilience.errors.max-details-size=" + size).run((context) -> {
			FailureAnalysis analysis = new InvalidPolicyFailureAnalyzer().analyze(context.getStartupFailure());
			assertThat(analysis).isNotNull();
			assertThat(analysis.getDescription()).contains("grpc.resilience.errors.max-details-size",
					"write a size such as 4KB");
		});
	}

	@Test
	void debugInfoIsAFinding() {
		this.runner.withPropertyValues("grpc.resilience.errors.debug-info=true")
			.run((context) -> assertThat(context.getBean(GrpcResilience.class).inspection().findings())
				.extracting(Finding::id)
				.containsExactly("DEBUG_INFO"));
	}

	@Test
	void policySaysWhoseCredentialsAClientUses() {
		this.runner
			.withPropertyValues("grpc.resilience.client.policies.own.methods=test.v1.Echo/Slow",
					"grpc.resilience.client.policies.own.relay-auth-errors=true")
			.run((context) -> {
				PolicyDefinition client = new PolicyDefinitions(context.getBean(BoundProperties.class)).client();
				assertThat(client.policies().get(0).settings().get(RelaySettings.RELAY_AUTH_ERRORS).value())
					.isEqualTo(true);
			});
	}

	@Test
	void nothingIsLimitedUnlessSomebodyAsksForIt() {
		this.runner.run((context) -> {
			ServerAdmission admission = context.getBean(GrpcResilience.class).inspection().admission();
			assertThat(admission.isOn()).isFalse();
			assertThat(admission.totalUsage()).isNull();
			assertThat(admission.totalSettings()).isEmpty();
		});
	}

	@Test
	void limitsComeFromPropertiesWithTheirOrigins() {
		this.runner
			.withPropertyValues("grpc.resilience.server.admission.max-concurrent=33",
					"grpc.resilience.server.policies.one.methods=test.v1.Echo/Slow",
					"grpc.resilience.server.policies.one.admission.max-concurrent=7",
					"grpc.resilience.server.policies.one.admission.adaptive=true",
					"grpc.resilience.server.policies.one.admission.max-per-second=1.05")
			.run((context) -> {
				ServerAdmission admission = context.getBean(GrpcResilience.class).inspection().admission();
				assertThat(admission.isOn()).isTrue();
				assertThat(admission.totalUsage()).isEqualTo(new AdmissionUsage(new Use(0, 33), null));
				assertThat(admission.totalSettings()).containsOnlyKeys("admission.max-concurrent");
				PolicyDefinition server = new PolicyDefinitions(context.getBean(BoundProperties.class)).server();
				PolicyTable table = PolicyTable.compile(server).get(0);
				assertThat(table.resolveServed("test.v1.Echo/Slow", true).admission())
					.isEqualTo(new AdmissionPolicy(7, true, 1.05));
			});
	}

	@Test
	void allFaultsOfLimitsAreListedAtOnce() {
		this.runner.withClassLoader(new FilteredClassLoader("com.netflix.concurrency"))
			.withPropertyValues("grpc.resilience.server.admission.max-concurrent=0",
					"grpc.resilience.server.admission.max-per-second=fast",
					"grpc.resilience.server.policies.one.methods=test.v1.Echo/Slow",
					"grpc.resilience.server.policies.one.admission.adaptive=true",
					"grpc.resilience.server.policies.one.admission.max-concurrent=many",
					"grpc.resilience.server.policies.one.admission.max-per-second=-7",
					"grpc.resilience.server.policies.one.admission.max-conc=7")
			.run((context) -> {
				FailureAnalysis analysis = new InvalidPolicyFailureAnalyzer().analyze(context.getStartupFailure());
				assertThat(analysis).isNotNull();
				assertThat(analysis.getDescription()).startsWith("6 settings of gRPC Resilience are invalid:")
					.contains("Property: grpc.resilience.server.admission.max-concurrent", "must be at least 1",
							"Property: grpc.resilience.server.admission.max-per-second", "is not a number",
							"Property: grpc.resilience.server.policies.one.admission.adaptive",
							"com.netflix.concurrency-limits:concurrency-limits-core",
							"Property: grpc.resilience.server.policies.one.admission.max-concurrent",
							"is not a whole number",
							"Property: grpc.resilience.server.policies.one.admission.max-per-second",
							"must be between 0.001 and 1000000", "there are: max-concurrent, adaptive, max-per-second");
			});
	}

	@Test
	void libraryIsNotNeededUnlessALimitIsAdaptive() {
		this.runner.withClassLoader(new FilteredClassLoader("com.netflix.concurrency"))
			.withPropertyValues("grpc.resilience.server.admission.max-concurrent=33",
					"grpc.resilience.server.admission.adaptive=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(AdaptiveLimits.class));
	}

	@Test
	void failuresAreNamedByTheirTraces() {
		SimpleTracer tracer = new SimpleTracer();
		this.runner.withBean(Tracer.class, () -> tracer).run((context) -> {
			TraceIds traces = context.getBean(TraceIds.class);
			assertThat(traces.get()).isNull();
			SimpleSpan span = tracer.nextSpan().start();
			span.context().setTraceId("4bf92f3577b34da6a3ce929d0e0e4736");
			try (Tracer.SpanInScope scope = tracer.withSpan(span)) {
				assertThat(scope).isNotNull();
				assertThat(traces.get()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
			}
			assertThat(traces.get()).isNull();
		});
	}

	@Test
	void failureAnalyzerIsRegistered() {
		assertThat(SpringFactoriesLoader.forDefaultResourceLocation()
			.load(FailureAnalyzer.class, (type, name, failure) -> {
			})).hasAtLeastOneElementOfType(InvalidPolicyFailureAnalyzer.class);
	}

	@Test
	void observingTouchesNoBuilderOfRestClient() {
		ApplicationContextRunner clients = this.runner.withConfiguration(AutoConfigurations
			.of(HttpClientCancellationAutoConfiguration.class, RestClientAutoConfiguration.class));
		clients.withPropertyValues("grpc.resilience.mode=observe")
			.run((context) -> assertThat(Proxy.isProxyClass(context.getBean(RestClient.Builder.class).getClass()))
				.isFalse());
		clients.run((context) -> assertThat(Proxy.isProxyClass(context.getBean(RestClient.Builder.class).getClass()))
			.isTrue());
	}

	@Test
	@SuppressWarnings("unchecked")
	void stubFactoryTakesBlockingV2StubsOnly() {
		this.runner.run((context) -> {
			StubFactory factory = context.getBean(StubFactory.class);
			assertThat(factory.isApplicable(Echo.EchoBlockingV2Stub.class)).isTrue();
			assertThat(factory.isApplicable(Echo.EchoBlockingStub.class)).isFalse();
			assertThat(factory.isApplicable((Class<? extends AbstractStub<?>>) (Class<?>) AbstractStub.class))
				.isFalse();
		});
	}

	@Configuration(proxyBeanMethods = false)
	static class Own {

		@Bean
		GrpcResilience own() {
			return GrpcResilience.builder().mode(Mode.OBSERVE).build();
		}

		@Bean
		EventSink ownEvents() {
			return (event) -> {
			};
		}

	}

}
