package io.github.grpcresilience.internal.method;

/**
 * One attempt of a call, as balancing sees it: among the tracers of its stream. It learns
 * which backend was chosen, and says which ones the attempts before it went to. Safe for
 * concurrent use; never blocks.
 */
public interface PlacedAttempt {

	/**
	 * Whether an attempt of the same call that was made before it went to a backend.
	 * @param backend the backend, by identity
	 * @return whether another one is better
	 */
	boolean isAfterOneOn(Object backend);

	/**
	 * A backend was chosen for it, perhaps not for the first time.
	 * @param backend the backend
	 */
	void place(Object backend);

}
