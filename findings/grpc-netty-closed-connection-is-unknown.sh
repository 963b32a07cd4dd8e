#!/bin/sh
# grpc-java: calls of a connection that closes end with UNKNOWN if one more is opened then
#
# Seen with grpc-java 1.85.1 (grpc-netty-shaded), Java 17.
#
# A connection that a server or a proxy closes without GOAWAY ends its calls with
# UNAVAILABLE, "Network closed for unknown reason", which is what retry policies list. If
# another call is opened in the moment in which the socket is closed and gRPC has not been
# told, its headers cannot be written, and all calls of the connection end with that error:
# UNKNOWN, "channel closed", with a ClosedChannelException. No server has said so, no retry
# policy repeats it, and breakers count it as a failure of the server.
#
# Output seen (numbers vary):
#   OK 3945, UNKNOWN 136, UNAVAILABLE 957
#
# Exit: 0 if there is an UNKNOWN, 1 if there is none, 2 if it could not be tried.

set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir -p src/main/java

cat > src/main/java/ClosedConnection.java <<'JAVA'
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;

public class ClosedConnection {

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

	private static final MethodDescriptor<String, String> METHOD = MethodDescriptor.newBuilder(NOTHING, NOTHING)
		.setType(MethodDescriptor.MethodType.UNARY)
		.setFullMethodName("shop.v1.Inventory/Get")
		.build();

	private static final Queue<Socket> OPEN = new ConcurrentLinkedQueue<>();

	public static void main(String[] args) throws Exception {
		Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
			.addService(ServerServiceDefinition.builder("shop.v1.Inventory")
				.addMethod(METHOD, ServerCalls.asyncUnaryCall((request, observer) -> {
					observer.onNext("");
					observer.onCompleted();
				}))
				.build())
			.build()
			.start();
		ServerSocket proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		start(() -> accept(proxy, server.getPort()));
		ManagedChannel channel = Grpc
			.newChannelBuilder("127.0.0.1:" + proxy.getLocalPort(), InsecureChannelCredentials.create())
			.build();
		Map<Status.Code, AtomicInteger> ends = new ConcurrentSkipListMap<>();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
		for (int i = 0; i < 8; i++) {
			start(() -> {
				while (true) {
					ends.computeIfAbsent(call(channel), (code) -> new AtomicInteger()).incrementAndGet();
				}
			});
		}
		while (System.nanoTime() < end) {
			Thread.sleep(50);
			for (Socket socket = OPEN.poll(); socket != null; socket = OPEN.poll()) {
				socket.close();
			}
		}
		System.out.println(ends.toString().replaceAll("[{}]", "").replace('=', ' '));
		System.exit(0);
	}

	private static Status.Code call(ManagedChannel channel) {
		try {
			ClientCalls.blockingUnaryCall(channel, METHOD,
					CallOptions.DEFAULT.withWaitForReady().withDeadlineAfter(20, TimeUnit.SECONDS), "");
			return Status.Code.OK;
		}
		catch (StatusRuntimeException ex) {
			return ex.getStatus().getCode();
		}
	}

	private static void accept(ServerSocket proxy, int port) {
		try {
			while (true) {
				Socket client = proxy.accept();
				Socket onward = new Socket(InetAddress.getLoopbackAddress(), port);
				OPEN.add(client);
				OPEN.add(onward);
				start(() -> pass(client, onward));
				start(() -> pass(onward, client));
			}
		}
		catch (IOException ex) {
			// The end.
		}
	}

	private static void pass(Socket from, Socket to) {
		try {
			from.getInputStream().transferTo(to.getOutputStream());
		}
		catch (IOException ex) {
			// Closed.
		}
	}

	private static void start(Runnable task) {
		Thread thread = new Thread(task);
		thread.setDaemon(true);
		thread.start();
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
	<dependencies>
		<dependency>
			<groupId>io.grpc</groupId>
			<artifactId>grpc-netty-shaded</artifactId>
			<version>1.85.1</version>
		</dependency>
		<dependency>
			<groupId>io.grpc</groupId>
			<artifactId>grpc-stub</artifactId>
			<version>1.85.1</version>
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

seen=$(java -cp "target/classes:$(cat classpath.txt)" ClosedConnection 2>java.log) || { cat java.log; exit 2; }
echo "$seen"
case $seen in
*UNKNOWN*) ;;
*) exit 1 ;;
esac
