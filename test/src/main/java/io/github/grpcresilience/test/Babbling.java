package io.github.grpcresilience.test;

import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.util.ReferenceCountUtil;

/**
 * Talks no HTTP/2 to whoever connects, and does not listen.
 */
final class Babbling extends ChannelInboundHandlerAdapter {

	private final Connection connection;

	Babbling(Connection connection) {
		this.connection = connection;
	}

	@Override
	public void channelActive(ChannelHandlerContext ctx) {
		this.connection.garbage();
	}

	@Override
	public void channelRead(ChannelHandlerContext ctx, Object message) {
		ReferenceCountUtil.release(message);
	}

}
