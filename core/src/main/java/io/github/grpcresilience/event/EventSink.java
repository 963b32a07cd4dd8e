package io.github.grpcresilience.event;

/**
 * Receives events. Called on whatever thread the event happens on, transport threads
 * included: implementations are safe for concurrent use, do not block and do not throw.
 */
@FunctionalInterface
public interface EventSink {

	/**
	 * Takes an event.
	 * @param event what happened
	 */
	void accept(ResilienceEvent event);

}
