package io.github.grpcresilience.internal.stream;

/**
 * Knows the threads of event loops by the names that grpc-java, Netty and Reactor Netty
 * give them: there is nothing else that the shaded and the plain ones have in common.
 */
final class EventLoops {

	private EventLoops() {
	}

	static boolean isOne(Thread thread) {
		String name = thread.getName();
		return name.contains("-ELG-") || name.contains("EventLoopGroup-") || name.startsWith("reactor-http-");
	}

}
