package io.github.grpcresilience.internal.status;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what an answer carries within what a client lets through. grpc-java's default is
 * 8 KiB for all headers together, names and 32 bytes each included (RFC 9113, 6.5.2);
 * beyond it the call ends with INTERNAL at best, and at worst its connection with every
 * call on it. Immutable, safe for concurrent use.
 */
public final class TrailerGuard {

	/**
	 * Most details of which care is taken that they fit into a page, message included.
	 */
	public static final int PAGE_DETAILS_BYTES = 2_500;

	/** A page, less what stands in it besides. */
	private static final int PAGE_BYTES = 4 * 1024 - 256;

	private static final int MAX_MESSAGE_BYTES = 512;

	/** 8 KiB, less what transports and proxies add. */
	private static final int MAX_LIST_BYTES = 8 * 1024 - 512;

	/** What details may always use, whatever else there is. */
	private static final int RESERVED_BYTES = 2 * 1024;

	private static final int ENTRY_BYTES = 32;

	private final int maxDetailsBytes;

	/**
	 * Creates a guard.
	 * @param maxDetailsBytes most bytes of the serialized details
	 */
	public TrailerGuard(int maxDetailsBytes) {
		this.maxDetailsBytes = maxDetailsBytes;
	}

	/**
	 * Looks at an answer.
	 * @param status its status
	 * @param trailers its trailers, which stay as they are
	 * @return what to send instead; {@code null} if it can be sent as it is
	 */
	public @Nullable Answer trim(Status status, Metadata trailers) {
		try {
			return trimOwn(status, trailers);
		}
		catch (IllegalArgumentException ex) {
			// A name that no trailer can have: none of the application's own is sent.
			Metadata bare = new Metadata();
			StatusDetails.put(bare, status, StatusDetails.read(trailers));
			Answer answer = trimOwn(status, bare);
			return (answer != null) ? answer : new Answer(status, bare);
		}
	}

	private @Nullable Answer trimOwn(Status status, Metadata trailers) {
		String message = (status.getDescription() != null) ? status.getDescription() : "";
		byte[] details = StatusDetails.bytes(trailers);
		int others = othersSize(trailers);
		boolean fits = !StatusDetails.isRepeated(trailers)
				&& encodedSize(message) + others + base64(details) <= MAX_LIST_BYTES
				&& message.length() <= MAX_MESSAGE_BYTES && Utf8.size(message) <= MAX_MESSAGE_BYTES;
		if (fits && (details == null || isFine(details, message))) {
			return null;
		}
		return cut(status, message, trailers, details, others);
	}

	/**
	 * Room for details beside a message. Who asks for more than fits into a page gets it.
	 */
	private int room(String message) {
		return (this.maxDetailsBytes > PAGE_DETAILS_BYTES) ? this.maxDetailsBytes
				: Math.min(this.maxDetailsBytes, (PAGE_BYTES - encodedSize(message)) / 4 * 3);
	}

	private boolean isFine(byte[] details, String message) {
		if (details.length > room(message)) {
			return false;
		}
		List<Any> parsed = parse(details);
		return parsed == null || !DetailTrimmer.hasTwoOfOneType(parsed);
	}

	private Answer cut(Status status, String message, Metadata trailers, byte @Nullable [] details, int others) {
		Status shorter = status.withDescription(Utf8.cut(message, MAX_MESSAGE_BYTES));
		String text = (shorter.getDescription() != null) ? shorter.getDescription() : "";
		int left = MAX_LIST_BYTES - encodedSize(text);
		Metadata kept = new Metadata();
		kept.merge(trailers);
		StatusDetails.put(kept, shorter, List.of());
		dropLargest(kept, Math.max(left - Math.max(RESERVED_BYTES, base64(details)), RESERVED_BYTES), others);
		List<Any> parsed = (details != null) ? parse(details) : null;
		if (parsed != null) {
			int room = Math.min(room(text), (left - othersSize(kept) - 2 * ENTRY_BYTES) / 4 * 3);
			StatusDetails.put(kept, shorter, DetailTrimmer.trim(parsed, room - sizeOfRest(shorter)));
		}
		return new Answer(shorter, kept);
	}

	/**
	 * What a {@code google.rpc.Status} holds apart from its details.
	 */
	private static int sizeOfRest(Status status) {
		String text = status.getDescription();
		return ((text != null) ? Utf8.size(text) + 3 : 0) + 2;
	}

	/**
	 * Takes out the largest of the application's own trailers until the others fit.
	 */
	private static void dropLargest(Metadata trailers, int room, int size) {
		int others = size;
		List<String> names = new ArrayList<>(trailers.keys());
		names.sort(Comparator.comparingInt((String name) -> sizeOf(trailers, name)).reversed());
		for (String name : names) {
			if (others <= room) {
				return;
			}
			others -= sizeOf(trailers, name);
			if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
				trailers.discardAll(binary(name));
			}
			else {
				trailers.discardAll(ascii(name));
			}
		}
	}

	private static @Nullable List<Any> parse(byte[] details) {
		try {
			return com.google.rpc.Status.parseFrom(details).getDetailsList();
		}
		catch (InvalidProtocolBufferException ex) {
			return null; // what nobody can read is not worth an exception, nor its bytes
		}
	}

	private static int othersSize(Metadata trailers) {
		int size = 0;
		for (String name : trailers.keys()) {
			if (!StatusDetails.isNameOfDetails(name)) {
				size += sizeOf(trailers, name);
			}
		}
		return size;
	}

	private static int sizeOf(Metadata trailers, String name) {
		int size = 0;
		if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
			Iterable<byte[]> values = trailers.getAll(binary(name));
			for (byte[] value : (values != null) ? values : List.<byte[]>of()) {
				size += ENTRY_BYTES + name.length() + base64(value);
			}
			return size;
		}
		Iterable<String> values = trailers.getAll(ascii(name));
		for (String value : (values != null) ? values : List.<String>of()) {
			size += ENTRY_BYTES + name.length() + value.length();
		}
		return size;
	}

	private static Metadata.Key<byte[]> binary(String name) {
		return Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER);
	}

	private static Metadata.Key<String> ascii(String name) {
		return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
	}

	private static int base64(byte @Nullable [] bytes) {
		return (bytes != null) ? (bytes.length + 2) / 3 * 4 : 0;
	}

	/**
	 * As grpc-java percent-encodes {@code grpc-message}, the tilde included.
	 */
	private static int encodedSize(String message) {
		int size = 0;
		for (byte character : message.getBytes(StandardCharsets.UTF_8)) {
			size += (character >= ' ' && character < '~' && character != '%') ? 1 : 3;
		}
		return size;
	}

	/**
	 * A status with its trailers.
	 *
	 * @param status the status
	 * @param trailers the trailers
	 */
	public record Answer(Status status, Metadata trailers) {
	}

}
