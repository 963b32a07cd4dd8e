#!/bin/sh
# grpc-java: a call that an xDS channel fails is closed before it can be asked anything
#
# Seen with grpc-java 1.85.1 (grpc-api, grpc-core, grpc-xds), Java 17.
#
# ClientCall.getAttributes() says with whom a call was connected, and answers with nothing
# where there was no connection; asking in onClose is safe with every other channel. A call
# that an xDS channel fails by itself (the control plane is away, no route matches) has its
# onClose handed to the call's executor before the call that it forwards to exists. So
# getAttributes() throws a NullPointerException in onClose: always with a direct executor,
# and now and then with a pool of threads, which may be faster. An interceptor that asks there
# lets the caller wait for ever, since nobody hears of the end.
#
# Output seen (the second number varies):
#   direct executor:                  NullPointerException in 20 of 20
#   pool, first call of a channel:    NullPointerException in 4 of 20
#
# Exit: 0 while the first line holds, 1 if it has changed, 2 if it could not be tried.

set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir -p src/main/java

cat > src/main/java/EndBeforeCall.java <<'JAVA'
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

public class EndBeforeCall {

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

	public static void main(String[] args) throws Exception {
		// Nobody listens on port 1: there is no control plane.
		System.setProperty("io.grpc.xds.bootstrapConfig", "{\"xds_servers\": [{\"server_uri\": \"127.0.0.1:1\","
				+ " \"channel_creds\": [{\"type\": \"insecure\"}]}], \"node\": {\"id\": \"test\"}}");
		ManagedChannel channel = Grpc.newChannelBuilder("xds:///shop", InsecureChannelCredentials.create()).build();
		throwing(channel, Runnable::run);
		int direct = 0;
		for (int i = 0; i < 20; i++) {
			direct += throwing(channel, Runnable::run);
		}
		System.out.println("direct executor:                  NullPointerException in " + direct + " of 20");
		channel.shutdownNow();
		ExecutorService pool = Executors.newCachedThreadPool();
		int first = 0;
		for (int i = 0; i < 20; i++) {
			ManagedChannel fresh = Grpc.newChannelBuilder("xds:///shop-" + i, InsecureChannelCredentials.create())
				.build();
			first += throwing(fresh, pool);
			fresh.shutdownNow();
		}
		System.out.println("pool, first call of a channel:    NullPointerException in " + first + " of 20");
		pool.shutdownNow();
	}

	private static int throwing(ManagedChannel channel, Executor executor) throws Exception {
		CompletableFuture<Boolean> ended = new CompletableFuture<>();
		ClientCall<String, String> call = channel.newCall(METHOD,
				CallOptions.DEFAULT.withExecutor(executor).withDeadlineAfter(30, TimeUnit.SECONDS));
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onClose(Status status, Metadata trailers) {
				try {
					ended.complete(call.getAttributes() == null);
				}
				catch (NullPointerException ex) {
					ended.complete(true);
				}
			}

		}, new Metadata());
		return ended.get(40, TimeUnit.SECONDS) ? 1 : 0;
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
			<artifactId>grpc-xds</artifactId>
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

seen=$(java -cp "target/classes:$(cat classpath.txt)" EndBeforeCall 2>java.log) || { cat java.log; exit 2; }
echo "$seen"
echo "$seen" | grep -q '^direct executor:  *NullPointerException in 20 of 20$'
