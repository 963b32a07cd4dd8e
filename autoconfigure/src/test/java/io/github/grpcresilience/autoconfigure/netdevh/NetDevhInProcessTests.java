package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.List;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import net.devh.boot.grpc.client.channelfactory.InProcessOrAlternativeChannelFactory;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.test.annotation.DirtiesContext;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.Echo;
import io.github.grpcresilience.internal.method.CalledMethod;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Several clients of one in-process server, as tests of applications have them.
 */
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.NONE,
		properties = { "grpc.server.port=-1", "grpc.server.in-process-name=shared",
				"grpc.client.one.address=in-process:shared", "grpc.client.two.address=in-process:shared",
				"grpc.client.GLOBAL.address=in-process:shared", "grpc.resilience.client.policies.one.clients=one",
				"grpc.resilience.client.policies.one.methods=test.v1.Echo/Remaining",
				"grpc.resilience.client.policies.one.deadline.default=777ms",
				"grpc.resilience.client.policies.three.clients=three",
				"grpc.resilience.client.policies.three.methods=test.v1.Echo/Remaining",
				"grpc.resilience.client.policies.three.deadline.default=333ms" })
class NetDevhInProcessTests {

	@GrpcClient("one")
	private Channel one;

	@GrpcClient("two")
	private Echo.EchoBlockingStub two;

	@Autowired
	private GrpcChannelFactory channels;

	@Autowired
	private GrpcResilience resilience;

	@Test
	void eachHasThePoliciesOfItsName() {
		assertThat(this.channels).isInstanceOf(InProcessOrAlternativeChannelFactory.class);
		assertThat(remaining(this.one)).isBetween(334L, 777L);
		assertThat(remaining(this.two.getChannel())).isBetween(1_000L, 2_000L);
		assertThat(remaining(this.channels.createChannel("three"))).isBetween(100L, 333L);
		Counting counting = new Counting();
		assertThat(remaining(this.channels.createChannel("three", List.of(counting), true))).isBetween(100L, 333L);
		assertThat(counting.calls).isOne();
		assertThat(this.resilience.inspection().calledMethods()).extracting(CalledMethod::client)
			.containsExactlyInAnyOrder("one", "two", "three");
	}

	@Test
	void factoryStaysWhatItIsWhereNoClientIsInProcess() {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.run("--grpc.server.port=0", "--grpc.client.one.address=self:self")) {
			assertThat(context.getBean(GrpcChannelFactory.class).getClass())
				.isEqualTo(InProcessOrAlternativeChannelFactory.class);
		}
	}

	private static long remaining(Channel channel) {
		return Long.parseLong(Echo.call(channel, CallOptions.DEFAULT));
	}

	private static final class Counting implements ClientInterceptor {

		private int calls;

		@Override
		public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
				CallOptions options, Channel next) {
			this.calls++;
			return next.newCall(method, options);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration(exclude = { DataSourceAutoConfiguration.class, HibernateJpaAutoConfiguration.class })
	@Import(Echo.class)
	static class Application {

	}

}
