package io.github.grpcresilience.sample.inventory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.core.env.Environment;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

/**
 * All replicas of inventory. The first is this process; the others, if there are any, are
 * processes of the same program with a database of their own, which live no longer than
 * this one.
 */
@Component
final class Replicas implements ApplicationRunner, DisposableBean {

	/** More than a drain takes. */
	private static final long STOP_SECONDS = 25;

	private static final List<String> OWN = List.of("role", "server.port", "shop.inventory.grpc-port",
			"shop.inventory.http-port");

	private final int port;

	private final List<Replica> further;

	Replicas(Environment environment, ApplicationArguments args) {
		this.port = environment.getProperty("shop.inventory.grpc-port", Integer.class, 9092);
		this.further = environment.containsProperty(ReplicaProcess.NUMBER) ? List.of() : further(environment, args);
	}

	private static List<Replica> further(Environment environment, ApplicationArguments args) {
		int[] ports = environment.getProperty("shop.inventory.replica-ports", int[].class, new int[0]);
		List<Replica> replicas = new ArrayList<>();
		for (int i = 0; i < ports.length; i++) {
			int number = i + 2;
			Stream<String> own = Stream.of("--role=inventory", "--" + ReplicaProcess.NUMBER + "=" + number,
					"--shop.inventory.grpc-port=" + ports[i], "--shop.inventory.http-port=0",
					"--spring.main.banner-mode=off");
			List<String> command = Stream.of(java(environment.getRequiredProperty("shop.program")), handedOn(args), own)
				.flatMap((part) -> part)
				.toList();
			replicas.add(new Replica(number, ports[i], command));
		}
		return List.copyOf(replicas);
	}

	/** As this process was started: from a class path, or from the executable jar. */
	private static Stream<String> java(String program) {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		String classPath = System.getProperty("java.class.path");
		boolean unpacked = Replicas.class.getClassLoader() == ClassLoader.getSystemClassLoader();
		Stream<String> what = unpacked ? Stream.of("-cp", classPath, program) : Stream.of("-jar", classPath);
		return Stream.concat(Stream.of(java, "-XX:TieredStopAtLevel=1"), what);
	}

	private static Stream<String> handedOn(ApplicationArguments args) {
		return Stream.of(args.getSourceArgs())
			.filter((arg) -> OWN.stream().noneMatch((own) -> arg.startsWith("--" + own + "=")));
	}

	/**
	 * Starts them all, and waits until they serve.
	 */
	@Override
	public void run(ApplicationArguments args) {
		this.further.forEach(Replica::start);
		this.further.forEach(Replica::awaitReady);
	}

	List<Replica.Description> describe() {
		Replica.Description first = new Replica.Description(1, this.port, ProcessHandle.current().pid(), "running");
		return Stream.concat(Stream.of(first), this.further.stream().map(Replica::describe)).toList();
	}

	/**
	 * Finds one that something can be done to.
	 * @throws ReplicaException if there is none
	 */
	Replica get(int number) {
		if (number == 1) {
			throw new ReplicaException(HttpStatus.CONFLICT,
					"Replica 1 is the process that answers this request: take another one");
		}
		if (number < 1 || number > this.further.size() + 1) {
			throw new ReplicaException(HttpStatus.NOT_FOUND,
					"There are replicas 1 to %d, as --inventory.replicas says".formatted(this.further.size() + 1));
		}
		return this.further.get(number - 2);
	}

	@Override
	public void destroy() throws InterruptedException {
		this.further.forEach(Replica::stop);
		for (Replica replica : this.further) {
			replica.awaitStopped(STOP_SECONDS);
		}
	}

}
