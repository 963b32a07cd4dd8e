package com.example.security;

import java.util.Base64;

import com.google.protobuf.StringValue;
import io.github.grpcresilience.Budget;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.error.GrpcErrors;
import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import org.junit.jupiter.api.Test;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.grpc.client.GrpcChannelFactory;
import org.springframework.grpc.server.GlobalServerInterceptor;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;
import org.springframework.grpc.server.security.AuthenticationProcessInterceptor;
import org.springframework.grpc.server.security.GrpcSecurity;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.config.Customizer;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * The policy inside of Spring Security's interceptors.
 */
class SecurityTests {

	private static final MethodDescriptor<StringValue, StringValue> ECHO = MethodDescriptor
		.<StringValue, StringValue>newBuilder()
		.setType(MethodDescriptor.MethodType.UNARY)
		.setFullMethodName("example.v1.Echo/Echo")
		.setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
		.setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
		.build();

	@Test
	void callsAreLetInBeforeThePolicySeesThem() {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
			.web(WebApplicationType.NONE)
			.properties("spring.grpc.server.port=0")
			.run()) {
			Channel foreign = context.getBean(GrpcChannelFactory.class)
				.createChannel("static://localhost:" + context.getBean(GrpcServerLifecycle.class).getPort());
			GrpcErrors refused = GrpcErrors.from(catchThrowable(() -> call(foreign, "")));
			assertThat(refused.code()).isEqualTo(Status.Code.UNAUTHENTICATED);
			Channel known = ClientInterceptors.intercept(foreign, MetadataUtils.newAttachHeadersInterceptor(alice()));
			assertThat(call(known, "")).isEqualTo("alice within a budget");
			GrpcErrors denied = GrpcErrors.from(catchThrowable(() -> call(known, "denied")));
			assertThat(denied.code()).isEqualTo(Status.Code.PERMISSION_DENIED);
			assertThat(context.getBean(GrpcResilience.class).inspection().findings()).isEmpty();
		}
	}

	private static String call(Channel channel, String request) {
		return ClientCalls.blockingUnaryCall(channel, ECHO, CallOptions.DEFAULT, StringValue.of(request)).getValue();
	}

	private static Metadata alice() {
		Metadata headers = new Metadata();
		headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
				"Basic " + Base64.getEncoder().encodeToString("alice:secret".getBytes()));
		return headers;
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		@GlobalServerInterceptor
		AuthenticationProcessInterceptor security(GrpcSecurity grpc) throws Exception {
			return grpc.authorizeRequests((requests) -> requests.allRequests().authenticated())
				.httpBasic(Customizer.withDefaults())
				.build();
		}

		@Bean
		UserDetailsService users() {
			return new InMemoryUserDetailsManager(User.withUsername("alice").password("{noop}secret").roles().build());
		}

		@Bean
		BindableService echo() {
			return () -> ServerServiceDefinition.builder("example.v1.Echo")
				.addMethod(ECHO, ServerCalls.asyncUnaryCall((request, responses) -> {
					if (request.getValue().equals("denied")) {
						throw new AccessDeniedException("secret");
					}
					String budget = Budget.remaining().map((left) -> " within a budget").orElse(" without a budget");
					responses.onNext(StringValue
						.of(SecurityContextHolder.getContext().getAuthentication().getName() + budget));
					responses.onCompleted();
				}))
				.build();
		}

	}

}
