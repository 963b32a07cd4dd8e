package io.github.grpcresilience.internal.stream;

import java.util.concurrent.Executor;

import io.grpc.Deadline;
import io.grpc.stub.ServerCallStreamObserver;

import io.github.grpcresilience.internal.time.Timer;
import io.github.grpcresilience.stream.StreamWriter;

/**
 * What the streams of one application share.
 *
 * @param service name of this application
 * @param timer says when heartbeats are due
 * @param ticker the time
 * @param executor runs what the application gave: heartbeats, and what is told the end
 */
public record Streams(String service, Timer timer, Deadline.Ticker ticker, Executor executor) {

	/**
	 * Opens a writer. Called by the handler before it returns.
	 * @param <T> type of the messages
	 * @param observer observer of the call
	 * @param options what was chosen
	 * @return the writer
	 */
	public <T> StreamWriter<T> open(ServerCallStreamObserver<T> observer, WriterOptions<T> options) {
		BoundedWriter<T> writer = new BoundedWriter<>(observer, options, this);
		writer.open();
		return writer;
	}

}
