package io.github.grpcresilience.stream;

/**
 * Writes the responses of one call with a stream of responses, from any number of
 * threads, in the pace of the reader. What the reader is not ready for waits in a buffer
 * with bounds; what happens when it is full was chosen with the
 * {@linkplain StreamWriterBuilder builder}. Safe for concurrent use; messages of one
 * thread keep their order.
 *
 * <p>
 * From when it is opened the writer alone sends: the handler must neither use the
 * observer any more nor set its handlers.
 *
 * @param <T> type of the messages
 */
public interface StreamWriter<T> {

	/**
	 * Writes a message. A thread that writes also sends what others have written, for a
	 * while. A writer that was told to {@linkplain StreamWriterBuilder#blockWhenFull()
	 * block} waits while the buffer is full, until there is room, the stream ends or the
	 * call's deadline passes; all others wait at most for a thread that is sending.
	 * @param message the message; must not be changed from then on
	 * @return {@code true} if the message was taken: it is sent, unless a newer one takes
	 * its place or the stream ends too soon; {@code false} if it was not, because the
	 * stream has ended or the deadline has passed, and nothing else will be
	 * @throws io.grpc.StatusRuntimeException {@code CANCELLED} if the thread is
	 * interrupted while it waits; its interrupt flag is set. Also for a handler that goes
	 * on writing in its callback although the stream has ended
	 * @throws IllegalStateException if the thread would have to block and must not: one
	 * of an event loop, without which the connection would never have room, or one that
	 * is sending for this writer
	 */
	boolean write(T message);

	/**
	 * Ends the stream with {@code OK} once the reader was ready for all that is buffered.
	 * Does not wait for it; nothing is taken any more. Does nothing if the stream was
	 * ended before.
	 */
	void complete();

	/**
	 * Ends the stream with an error once the reader was ready for all that is buffered.
	 * Does not wait for it; nothing is taken any more. Does nothing if the stream was
	 * ended before.
	 * @param thrown what the call fails with, as given to {@code onError}
	 */
	void fail(Throwable thrown);

	/**
	 * Whether messages are taken.
	 * @return {@code false} once the stream was ended, by either side
	 */
	boolean isOpen();

	/**
	 * Messages that wait for the reader.
	 * @return a momentary number
	 */
	int buffered();

	/**
	 * Size of the messages that wait for the reader.
	 * @return a momentary number of bytes
	 */
	long bufferedBytes();

	/**
	 * Messages that were taken and gave way to newer ones.
	 * @return their number; zero for writers that block or fail
	 */
	long dropped();

}
