package io.github.grpcresilience.benchmarks.variant;

/**
 * How an application calls {@link Echo}: it waits for the answer. Safe for concurrent
 * use.
 */
public interface Calls {

	/**
	 * Makes a unary call.
	 * @param request the request
	 * @return the answer
	 */
	byte[] unary(byte[] request);

	/**
	 * Makes a call that is answered with a stream, and reads it to its end.
	 * @param request the request; its first byte says how long the stream is
	 * @return number of messages
	 */
	int stream(byte[] request);

}
