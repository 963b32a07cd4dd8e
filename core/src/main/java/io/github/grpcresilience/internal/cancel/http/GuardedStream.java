package io.github.grpcresilience.internal.cancel.http;

import java.io.IOException;
import java.io.InputStream;

/**
 * The body of a response, which ends with its exchange. Confined to one thread, as the
 * stream that it reads.
 */
final class GuardedStream extends InputStream {

	private final InputStream body;

	private final CallExchange exchange;

	GuardedStream(InputStream body, CallExchange exchange) {
		this.body = body;
		this.exchange = exchange;
	}

	@Override
	public int read() throws IOException {
		byte[] single = new byte[1];
		return (read(single, 0, 1) < 0) ? -1 : single[0] & 0xff;
	}

	@Override
	public int read(byte[] target, int offset, int length) throws IOException {
		this.exchange.throwIfStopped();
		int count;
		try {
			count = this.body.read(target, offset, length);
		}
		catch (IOException | RuntimeException ex) {
			if (this.exchange.isOver()) {
				throw this.exchange.failure(ex);
			}
			throw ex;
		}
		// Some streams end like a complete one when they are closed underneath.
		if (count < 0 && this.exchange.isStopped()) {
			throw this.exchange.failure(null);
		}
		return count;
	}

	@Override
	public int available() throws IOException {
		return this.body.available();
	}

	@Override
	public void close() throws IOException {
		try {
			this.body.close();
		}
		catch (IOException | RuntimeException ex) {
			// What was stopped is being closed in any case.
			if (!this.exchange.isStopped()) {
				throw ex;
			}
		}
	}

}
