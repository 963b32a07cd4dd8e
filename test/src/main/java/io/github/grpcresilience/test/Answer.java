package io.github.grpcresilience.test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Function;

import io.grpc.MethodDescriptor;

/**
 * What a method answers.
 *
 * @param function from a request to its answers, as bytes
 * @param ofLastRequest whether only the last request is answered
 */
record Answer(Function<byte[], List<byte[]>> function, boolean ofLastRequest) {

	static final Answer ECHO = new Answer(List::of, false);

	static <Q, A> Answer of(MethodDescriptor<Q, A> method, Function<Q, List<A>> function) {
		return new Answer((request) -> function.apply(method.parseRequest(new ByteArrayInputStream(request)))
			.stream()
			.map((answer) -> bytes(method.streamResponse(answer)))
			.toList(), method.getType() == MethodDescriptor.MethodType.CLIENT_STREAMING);
	}

	List<byte[]> to(byte[] request) {
		return this.function.apply(request);
	}

	private static byte[] bytes(InputStream stream) {
		try (stream) {
			return stream.readAllBytes();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
