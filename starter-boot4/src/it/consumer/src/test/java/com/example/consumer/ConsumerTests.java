package com.example.consumer;

import java.io.File;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.google.protobuf.StringValue;
import io.github.grpcresilience.GrpcResilience;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.grpc.client.GrpcChannelFactory;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;

@SpringBootTest
class ConsumerTests {

	@Autowired
	private GrpcChannelFactory channels;

	@Autowired
	private GrpcServerLifecycle server;

	@Autowired
	private GrpcResilience resilience;

	@Test
	void callsItselfOverTheNetwork() {
		Channel channel = this.channels.createChannel("static://localhost:" + this.server.getPort());
		StringValue answer = ClientCalls.blockingUnaryCall(channel, EchoService.ECHO, CallOptions.DEFAULT,
				StringValue.of("hello"));
		assertThat(answer.getValue()).isEqualTo("hello within a budget");
		assertThat(this.resilience.inspection().findings()).isEmpty();
		assertThat(this.resilience.inspection().servedMethods()).anySatisfy((method) -> assertThat(method.name()).isEqualTo("example.v1.Echo/Echo"));
	}

	@Test
	void runsOnTheTransportOfItsClassPath() {
		assertThat(ClassUtils.isPresent("io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder", null))
			.isNotEqualTo(ClassUtils.isPresent("io.grpc.netty.NettyServerBuilder", null));
	}

	@Test
	void hasOneVersionOfGrpc() {
		assertThat(versionsOf("io/grpc")).hasSizeGreaterThan(8)
			.allSatisfy((version) -> assertThat(version).endsWith("/" + System.getProperty("expected.grpc.version")));
	}

	@Test
	void hasOneVersionOfProtobuf() {
		assertThat(versionsOf("com/google/protobuf")).hasSize(2)
			.allSatisfy(
					(version) -> assertThat(version).endsWith("/" + System.getProperty("expected.protobuf.version")));
	}

	private static List<String> versionsOf(String group) {
		Pattern pattern = Pattern.compile("/" + group + "/([^/]+/[^/]+)/[^/]+\\.jar$");
		return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
			.map((path) -> pattern.matcher(path.replace(File.separatorChar, '/')))
			.filter(Matcher::find)
			.map((matcher) -> matcher.group(1))
			.toList();
	}

}
