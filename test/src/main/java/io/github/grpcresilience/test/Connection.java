package io.github.grpcresilience.test;

import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;

import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.channel.ChannelDuplexHandler;
import io.grpc.netty.shaded.io.netty.channel.ChannelFutureListener;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.ChannelPromise;
import io.grpc.netty.shaded.io.netty.channel.socket.SocketChannel;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame;
import io.grpc.netty.shaded.io.netty.util.ReferenceCountUtil;

/**
 * One connection, next to its socket: what is stalled waits here. All of it runs on the
 * thread of the server.
 */
// What cannot be written any more has nobody to read it.
@SuppressWarnings("FutureReturnValueIgnored")
final class Connection extends ChannelDuplexHandler {

	/** The first three bytes are a length that no frame may have. */
	private static final int GARBAGE_BYTE = 0x5a;

	private final FaultyServer server;

	private final SocketChannel channel;

	private final InetSocketAddress peer;

	private final int number;

	private final Queue<Object> unread = new ArrayDeque<>();

	private final Queue<Unwritten> unwritten = new ArrayDeque<>();

	private boolean deaf;

	private boolean mute;

	Connection(FaultyServer server, SocketChannel channel, int number) {
		this.server = server;
		this.channel = channel;
		this.peer = channel.remoteAddress();
		this.number = number;
	}

	int number() {
		return this.number;
	}

	InetSocketAddress peer() {
		return this.peer;
	}

	void stall(Direction direction) {
		if (direction.includes(Direction.TO_SERVER)) {
			this.deaf = true;
			this.channel.config().setAutoRead(false);
		}
		if (direction.includes(Direction.TO_CLIENT)) {
			this.mute = true;
		}
	}

	void resume() {
		ChannelHandlerContext context = this.channel.pipeline().context(this);
		if (context == null || (!this.deaf && !this.mute)) {
			return;
		}
		this.mute = false;
		for (Unwritten next = this.unwritten.poll(); next != null; next = this.unwritten.poll()) {
			context.write(next.message(), next.promise());
		}
		context.flush();
		this.deaf = false;
		for (Object next = this.unread.poll(); next != null; next = this.unread.poll()) {
			context.fireChannelRead(next);
		}
		context.fireChannelReadComplete();
		this.channel.config().setAutoRead(true);
	}

	void goAway() {
		this.channel.writeAndFlush(new DefaultHttp2GoAwayFrame(0)).addListener(ChannelFutureListener.CLOSE);
	}

	void goAwayAndClose(int errorCode, byte[] debugData) {
		this.channel.writeAndFlush(new DefaultHttp2GoAwayFrame(errorCode, Unpooled.wrappedBuffer(debugData)))
			.addListener((done) -> close());
	}

	void garbage() {
		byte[] bytes = new byte[64];
		Arrays.fill(bytes, (byte) GARBAGE_BYTE);
		ChannelHandlerContext context = this.channel.pipeline().context(this);
		if (context != null) {
			context.writeAndFlush(Unpooled.wrappedBuffer(bytes));
		}
	}

	/** With a reset: unlike a close it cannot be taken for an end that was meant. */
	void disconnect() {
		if (this.channel.isOpen()) {
			this.channel.config().setOption(ChannelOption.SO_LINGER, 0);
			close();
		}
	}

	/** Without HTTP/2's handler, which would wait for the calls. */
	private void close() {
		ChannelHandlerContext context = this.channel.pipeline().context(this);
		if (context != null) {
			context.close();
		}
	}

	@Override
	public void channelRead(ChannelHandlerContext ctx, Object message) {
		if (this.deaf) {
			this.unread.add(message);
		}
		else {
			ctx.fireChannelRead(message);
		}
	}

	/** HTTP/2's handler reads on, whatever the channel is set to. */
	@Override
	public void read(ChannelHandlerContext ctx) {
		if (!this.deaf) {
			ctx.read();
		}
	}

	@Override
	public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
		if (this.mute) {
			this.unwritten.add(new Unwritten(message, promise));
		}
		else {
			ctx.write(message, promise);
		}
	}

	@Override
	public void channelInactive(ChannelHandlerContext ctx) {
		this.server.noteClosed(this);
		this.unread.forEach(ReferenceCountUtil::release);
		this.unread.clear();
		for (Unwritten each : this.unwritten) {
			ReferenceCountUtil.release(each.message());
			each.promise().tryFailure(new ClosedChannelException());
		}
		this.unwritten.clear();
		ctx.fireChannelInactive();
	}

	@Override
	public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
		// The client is gone, or was given garbage.
		ctx.close();
	}

	private record Unwritten(Object message, ChannelPromise promise) {
	}

}
