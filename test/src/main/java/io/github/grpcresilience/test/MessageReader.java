package io.github.grpcresilience.test;

import java.util.Deque;

import io.grpc.Status;
import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;

/**
 * Puts messages together from the bytes of a stream.
 */
final class MessageReader {

	private static final int PREFIX = 5;

	private final ByteBuf bytes = Unpooled.buffer();

	void add(ByteBuf part, Deque<byte[]> messages) {
		this.bytes.writeBytes(part);
		while (this.bytes.readableBytes() >= PREFIX) {
			int index = this.bytes.readerIndex();
			if (this.bytes.getByte(index) != 0) {
				throw Status.UNIMPLEMENTED.withDescription("compressed").asRuntimeException();
			}
			int length = this.bytes.getInt(index + 1);
			if (this.bytes.readableBytes() < PREFIX + length) {
				return;
			}
			byte[] message = new byte[length];
			this.bytes.skipBytes(PREFIX).readBytes(message).discardReadBytes();
			messages.add(message);
		}
	}

}
