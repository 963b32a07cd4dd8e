package io.github.grpcresilience.test;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2DataFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Headers;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2HeadersFrame;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2ResetFrame;
import io.grpc.netty.shaded.io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * One call. All of it runs on the thread of the server.
 */
// What cannot be written any more has nobody to read it.
@SuppressWarnings("FutureReturnValueIgnored")
final class FaultyCall extends ChannelInboundHandlerAdapter {

	private static final byte[] PAGE = "<html><body>No gRPC here</body></html>".getBytes(StandardCharsets.UTF_8);

	private final FaultyServer server;

	private final Connection connection;

	private final MessageReader reader = new MessageReader();

	private final Deque<byte[]> requests = new ArrayDeque<>();

	private @Nullable ChannelHandlerContext context;

	private Fault fault = Fault.none();

	private Answer answer = Answer.ECHO;

	private boolean arrived;

	private boolean begun;

	private boolean halfClosed;

	private boolean headersSent;

	private boolean ended;

	private boolean over;

	private int sent;

	FaultyCall(FaultyServer server, Connection connection) {
		this.server = server;
		this.connection = connection;
	}

	Connection connection() {
		return this.connection;
	}

	@Override
	public void handlerAdded(ChannelHandlerContext ctx) {
		this.context = ctx;
	}

	private ChannelHandlerContext context() {
		if (this.context == null) {
			throw new IllegalStateException("The call has not begun");
		}
		return this.context;
	}

	@Override
	public void channelRead(ChannelHandlerContext ctx, Object message) {
		try {
			if (message instanceof Http2HeadersFrame headers) {
				arrive(headers.headers());
				this.halfClosed |= headers.isEndStream();
			}
			else if (message instanceof Http2DataFrame data) {
				this.reader.add(data.content(), this.requests);
				this.halfClosed |= data.isEndStream();
			}
			proceed();
		}
		catch (RuntimeException ex) {
			fail(ex);
		}
		finally {
			ReferenceCountUtil.release(message);
		}
	}

	private void arrive(Http2Headers headers) {
		Received received = Headers.received(headers, this.connection);
		this.answer = this.server.answerOf(received.method());
		this.arrived = true;
		this.fault = this.server.noteArrived(received);
		if (this.fault.delay().isZero()) {
			this.begun = true;
			return;
		}
		context().executor().schedule(() -> {
			this.begun = true;
			proceed();
		}, this.fault.delay().toNanos(), TimeUnit.NANOSECONDS);
	}

	private void proceed() {
		if (!this.begun || this.ended) {
			return;
		}
		if (this.fault.isAtOnce()) {
			end();
			return;
		}
		if (this.fault.isAfter(0)) {
			sendHeaders();
			end();
			return;
		}
		while (!this.requests.isEmpty() && !this.ended) {
			byte[] request = this.requests.removeFirst();
			boolean last = this.halfClosed && this.requests.isEmpty();
			if (last || !this.answer.ofLastRequest()) {
				answer(request);
			}
			else if (this.requests.isEmpty()) {
				this.requests.add(request);
				return;
			}
		}
		if (this.halfClosed && !this.ended) {
			end();
		}
	}

	private void answer(byte[] request) {
		try {
			for (byte[] each : this.answer.to(request)) {
				if (!this.ended) {
					send(each);
				}
			}
		}
		catch (RuntimeException ex) {
			fail(ex);
		}
	}

	/** What a function of the test has thrown is the status of the call. */
	private void fail(RuntimeException thrown) {
		if (!this.ended) {
			Metadata trailers = Status.trailersFromThrowable(thrown);
			this.ended = true;
			close(Status.fromThrowable(thrown), (trailers != null) ? trailers : new Metadata());
		}
	}

	private void send(byte[] answer) {
		sendHeaders();
		ByteBuf framed = Unpooled.buffer(answer.length + 5);
		framed.writeByte(0).writeInt(answer.length).writeBytes(answer);
		if (this.fault.drip().isZero()) {
			context().writeAndFlush(new DefaultHttp2DataFrame(framed));
			this.sent++;
			if (this.fault.isAfter(this.sent)) {
				end();
			}
		}
		else {
			this.ended = true;
			drip(framed);
		}
	}

	private void drip(ByteBuf left) {
		if (this.over) {
			left.release();
			return;
		}
		if (!left.isReadable()) {
			left.release();
			this.ended = false;
			proceed();
			return;
		}
		context().writeAndFlush(new DefaultHttp2DataFrame(left.readBytes(1)));
		context().executor().schedule(() -> drip(left), this.fault.drip().toNanos(), TimeUnit.NANOSECONDS);
	}

	private void end() {
		this.ended = true;
		Fault.End end = this.fault.end();
		if (end != null) {
			end.end(this);
		}
		else {
			sendHeaders();
			close(Status.OK, new Metadata());
		}
	}

	private void sendHeaders() {
		if (!this.headersSent) {
			this.headersSent = true;
			context().writeAndFlush(new DefaultHttp2HeadersFrame(Headers.ofAnswer()));
		}
	}

	void close(Status status, Metadata trailers) {
		context()
			.writeAndFlush(new DefaultHttp2HeadersFrame(Headers.trailers(status, trailers, !this.headersSent), true));
	}

	void reset(int errorCode) {
		context().writeAndFlush(new DefaultHttp2ResetFrame(errorCode));
	}

	void html(int status) {
		if (!this.headersSent) {
			this.headersSent = true;
			context().write(new DefaultHttp2HeadersFrame(Headers.ofPage(status)));
		}
		context().writeAndFlush(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(PAGE), true));
	}

	@Override
	public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
		if (event instanceof Http2ResetFrame) {
			this.server.noteCancelled();
		}
		ReferenceCountUtil.release(event);
	}

	@Override
	public void channelInactive(ChannelHandlerContext ctx) {
		this.over = true;
		this.ended = true;
		if (this.arrived) {
			this.server.noteEnded();
		}
	}

	@Override
	public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
		ctx.close();
	}

}
