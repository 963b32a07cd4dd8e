package io.github.grpcresilience.internal.deadline;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import io.grpc.Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A client on gRPC's C core, which tells servers that it has more time than it has.
 */
@Tag("foreign")
class PythonClientTests {

	private static final String CLIENT = """
			import sys, grpc
			channel = grpc.insecure_channel('127.0.0.1:' + sys.argv[1])
			call = channel.unary_unary('/test.v1.Shop/Unary')
			call(b'warm', timeout=20, wait_for_ready=True)
			for budget in (1.7, 2.3):
			    try:
			        call(b'slow', timeout=budget)
			    except grpc.RpcError as error:
			        keys = [key for key, value in error.trailing_metadata()]
			        print(error.code().name, 'grpc-status-details-bin' in keys)
			""";

	private final Loopback loopback = new Loopback();

	@TempDir
	private Path folder;

	@AfterEach
	void end() {
		this.loopback.close();
	}

	@Test
	void detailsArriveBeforeItGivesUp() throws Exception {
		GrpcResilience resilience = this.loopback.resilience(GrpcResilience.builder());
		Server server = this.loopback.serve(resilience, new Shop().unary((request, observer) -> {
			if (request.equals("warm")) {
				Shop.echo(request, observer);
			}
		}));
		Path script = Files.writeString(this.folder.resolve("client.py"), CLIENT);
		Process python = new ProcessBuilder("/usr/bin/python3", script.toString(), String.valueOf(server.getPort()))
			.redirectErrorStream(true)
			.start();
		try {
			assertThat(new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
				.isEqualToIgnoringNewLines("DEADLINE_EXCEEDED TrueDEADLINE_EXCEEDED True");
			assertThat(python.waitFor(10, TimeUnit.SECONDS)).isTrue();
		}
		finally {
			python.destroy();
		}
	}

}
