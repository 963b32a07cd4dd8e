package io.github.grpcresilience.autoconfigure.edge.servlet;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * A response that is written outside of its request's call. Filters further out do work
 * of their own when a response is committed, such as writing the session to a database,
 * and that is not to stop with the budget. Confined to one thread, as responses are.
 */
final class EdgeScopedResponse extends HttpServletResponseWrapper {

	private @Nullable ServletOutputStream stream;

	private @Nullable PrintWriter writer;

	EdgeScopedResponse(HttpServletResponse response) {
		super(response);
	}

	private static void outside(Writing writing) throws IOException {
		CallScope entered = CallScope.entered();
		CallScope.leave(null);
		try {
			writing.write();
		}
		finally {
			CallScope.leave(entered);
		}
	}

	@Override
	public ServletOutputStream getOutputStream() throws IOException {
		if (this.stream == null) {
			this.stream = new Stream(super.getOutputStream());
		}
		return this.stream;
	}

	@Override
	public PrintWriter getWriter() throws IOException {
		if (this.writer == null) {
			this.writer = new CheckedWriter(super.getWriter());
		}
		return this.writer;
	}

	@Override
	public void reset() {
		super.reset();
		this.stream = null;
		this.writer = null;
	}

	@Override
	public void flushBuffer() throws IOException {
		outside(super::flushBuffer);
	}

	@Override
	public void sendError(int status) throws IOException {
		outside(() -> super.sendError(status));
	}

	@Override
	public void sendError(int status, String message) throws IOException {
		outside(() -> super.sendError(status, message));
	}

	@Override
	public void sendRedirect(String location) throws IOException {
		outside(() -> super.sendRedirect(location));
	}

	@FunctionalInterface
	private interface Writing {

		void write() throws IOException;

	}

	private static final class Stream extends ServletOutputStream {

		private final ServletOutputStream stream;

		Stream(ServletOutputStream stream) {
			this.stream = stream;
		}

		@Override
		public void write(int value) throws IOException {
			outside(() -> this.stream.write(value));
		}

		@Override
		public void write(byte[] bytes, int offset, int length) throws IOException {
			outside(() -> this.stream.write(bytes, offset, length));
		}

		@Override
		public void flush() throws IOException {
			outside(this.stream::flush);
		}

		@Override
		public void close() throws IOException {
			outside(this.stream::close);
		}

		@Override
		public boolean isReady() {
			return this.stream.isReady();
		}

		@Override
		public void setWriteListener(WriteListener listener) {
			this.stream.setWriteListener(listener);
		}

	}

	private static final class CheckedWriter extends PrintWriter {

		private final PrintWriter writer;

		CheckedWriter(PrintWriter writer) {
			super(new Text(writer));
			this.writer = writer;
		}

		@Override
		public boolean checkError() {
			return super.checkError() || this.writer.checkError();
		}

	}

	private static final class Text extends Writer {

		private final PrintWriter writer;

		Text(PrintWriter writer) {
			this.writer = writer;
		}

		@Override
		public void write(char[] text, int offset, int length) throws IOException {
			outside(() -> this.writer.write(text, offset, length));
		}

		@Override
		public void flush() throws IOException {
			outside(this.writer::flush);
		}

		@Override
		public void close() throws IOException {
			outside(this.writer::close);
		}

	}

}
