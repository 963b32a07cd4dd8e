package io.github.grpcresilience.autoconfigure.stack;

/**
 * A starter that is for another Spring Boot than the application runs on.
 */
final class WrongStarterException extends RuntimeException {

	/**
	 * Takes the pair.
	 * @param starter artifact of the starter
	 * @param made the Spring Boot that it is for
	 * @param running the Spring Boot that there is
	 */
	WrongStarterException(String starter, String made, String running) {
		super(starter + " is for Spring Boot " + made + ", and this application runs on Spring Boot " + running
				+ ": depend on " + right(running) + " instead");
	}

	private static String right(String running) {
		return running.startsWith("3.") ? "grpc-resilience-spring-boot-starter"
				: "grpc-resilience-spring-boot4-starter";
	}

}
