package io.github.grpcresilience.autoconfigure.netdevh;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

/**
 * An application with clients only, as it is after adding the starter.
 */
@ExtendWith(OutputCaptureExtension.class)
class NetDevhFindingTests {

	@Test
	void whatNobodyWantedIsFoundAndLogged(CapturedOutput output) {
		try (ConfigurableApplicationContext context = start("--grpc.server.port=0",
				"--grpc.client.billing.address=static://127.0.0.1:1", "--grpc-resilience.mode=observe",
				"--grpc.resilience.client.policies.p.methods=shop.v1.Billing",
				"--grpc.resilience.client.policies.p.clients=billing,biling",
				"--grpc.resilience.client.policies.p.deadline.max=3s")) {
			GrpcResilience resilience = context.getBean(GrpcResilience.class);
			assertThat(resilience.inspection().findings())
				.filteredOn((finding) -> finding.severity() == Finding.Severity.WARNING)
				.extracting(Finding::id, (finding) -> finding.subject().replaceAll("\\d{4,}", "port"))
				.containsExactlyInAnyOrder(tuple("SERVER_WITHOUT_SERVICE", "[/[0:0:0:0:0:0:0:0]:port]"),
						tuple("UNMATCHED_CLIENT", "biling"), tuple("UNKNOWN_PROPERTY", "grpc-resilience.mode"));
			assertThat(output).contains("SERVER_WITHOUT_SERVICE", "UNMATCHED_CLIENT biling",
					"UNKNOWN_PROPERTY grpc-resilience.mode");
		}
	}

	@Test
	void serverThatIsSwitchedOffIsNone() {
		try (ConfigurableApplicationContext context = start("--grpc.server.port=-1")) {
			assertThat(context.getBean(GrpcResilience.class).inspection().findings()).isEmpty();
		}
	}

	private static ConfigurableApplicationContext start(String... arguments) {
		return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE).run(arguments);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(exclude = { DataSourceAutoConfiguration.class, HibernateJpaAutoConfiguration.class })
	static class Application {

	}

}
