#!/bin/sh
# Spring Boot 4.1: giving connections of the gRPC server an age ends streams 30 s later
#
# Seen with Spring Boot 4.1.2 (Spring gRPC 1.1.2, grpc-java 1.84.1), Java 17.
#
# gRPC's own maxConnectionAge lets calls and streams of an old connection go on for as long
# as they like: its grace period is infinite unless somebody sets one. Spring Boot's
# property of the same name, spring.grpc.server.keepalive.connection.max-age, looks like
# the same switch, but spring.grpc.server.keepalive.connection.grace-period is 30 s by
# default and is always passed on. So a team that sets an age, to spread its calls over new
# replicas, cuts every stream that is open half a minute later, with UNAVAILABLE.
#
# Output seen (seconds vary a little):
#   age of 1 s by property:           UNAVAILABLE after 31 s
#   the same with a grace of 1 h:     open after 40 s
#
# Exit: 0 while that holds, 1 if it has changed, 2 if it could not be tried.

set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir -p src/main/java

cat > src/main/java/App.java <<'JAVA'
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class App {

	private static final MethodDescriptor.Marshaller<String> NOTHING = new MethodDescriptor.Marshaller<>() {

		@Override
		public InputStream stream(String value) {
			return new ByteArrayInputStream(new byte[0]);
		}

		@Override
		public String parse(InputStream stream) {
			return "";
		}

	};

	private static final MethodDescriptor<String, String> WATCH = MethodDescriptor.newBuilder(NOTHING, NOTHING)
		.setType(MethodDescriptor.MethodType.SERVER_STREAMING)
		.setFullMethodName("shop.v1.Shop/Watch")
		.build();

	@Bean
	BindableService service() {
		return () -> ServerServiceDefinition.builder("shop.v1.Shop")
			.addMethod(WATCH, ServerCalls.asyncServerStreamingCall((request, observer) -> observer.onNext("")))
			.build();
	}

	public static void main(String[] args) throws Exception {
		try (ConfigurableApplicationContext context = SpringApplication.run(App.class, args)) {
			ManagedChannel channel = Grpc
				.newChannelBuilderForAddress("localhost", context.getBean(GrpcServerLifecycle.class).getPort(),
						InsecureChannelCredentials.create())
				.build();
			CompletableFuture<Status> ended = new CompletableFuture<>();
			ClientCall<String, String> call = channel.newCall(WATCH, CallOptions.DEFAULT);
			long start = System.nanoTime();
			call.start(new ClientCall.Listener<>() {

				@Override
				public void onClose(Status status, Metadata trailers) {
					ended.complete(status);
				}

			}, new Metadata());
			call.request(100);
			call.sendMessage("");
			call.halfClose();
			try {
				Status status = ended.get(40, TimeUnit.SECONDS);
				System.out.println("RESULT " + status.getCode() + " after "
						+ TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) + " s");
			}
			catch (TimeoutException ex) {
				System.out.println("RESULT open after 40 s");
			}
			channel.shutdownNow();
		}
	}

}
JAVA

cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
	<modelVersion>4.0.0</modelVersion>
	<groupId>finding</groupId>
	<artifactId>finding</artifactId>
	<version>1</version>
	<properties>
		<maven.compiler.release>17</maven.compiler.release>
		<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
	</properties>
	<dependencyManagement>
		<dependencies>
			<dependency>
				<groupId>io.netty</groupId>
				<artifactId>netty-bom</artifactId>
				<version>4.2.18.Final</version>
				<type>pom</type>
				<scope>import</scope>
			</dependency>
			<dependency>
				<groupId>org.springframework.boot</groupId>
				<artifactId>spring-boot-dependencies</artifactId>
				<version>4.1.2</version>
				<type>pom</type>
				<scope>import</scope>
			</dependency>
		</dependencies>
	</dependencyManagement>
	<dependencies>
		<dependency>
			<groupId>org.springframework.boot</groupId>
			<artifactId>spring-boot-starter-grpc-server</artifactId>
		</dependency>
	</dependencies>
	<build>
		<plugins>
			<plugin>
				<groupId>org.apache.maven.plugins</groupId>
				<artifactId>maven-compiler-plugin</artifactId>
				<version>3.16.0</version>
			</plugin>
			<plugin>
				<groupId>org.apache.maven.plugins</groupId>
				<artifactId>maven-dependency-plugin</artifactId>
				<version>3.11.0</version>
			</plugin>
		</plugins>
	</build>
</project>
XML

mvn -B -q compile dependency:build-classpath -Dmdep.outputFile=classpath.txt >build.log 2>&1 ||
	{ tail -n 5 build.log; exit 2; }

run() {
	java -cp "target/classes:$(cat classpath.txt)" App --spring.main.banner-mode=off --spring.grpc.server.port=0 \
		--spring.grpc.server.shutdown.grace-period=1s --spring.grpc.server.keepalive.connection.max-age=1s "$@" 2>&1 |
		sed -n 's/^RESULT //p'
}

alone=$(run)
graced=$(run --spring.grpc.server.keepalive.connection.grace-period=1h)
echo "age of 1 s by property:           $alone"
echo "the same with a grace of 1 h:     $graced"
[ -n "$alone" ] && [ -n "$graced" ] || exit 2
case $alone in
UNAVAILABLE\ after\ [23]?\ s) ;;
*) exit 1 ;;
esac
[ "$graced" = "open after 40 s" ]
