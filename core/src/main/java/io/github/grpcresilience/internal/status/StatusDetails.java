package io.github.grpcresilience.internal.status;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.status.Reason;

/**
 * Writes and reads {@code google.rpc.Status} details in trailers. Never throws on what a
 * peer sent.
 */
public final class StatusDetails {

	/** {@code ErrorInfo.domain} of what the framework itself answers. */
	public static final String DOMAIN = "grpc-resilience";

	private static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin",
			Metadata.BINARY_BYTE_MARSHALLER);

	/** On the path of every failed call. */
	private static final int MAX_READ_BYTES = 8 * 1024;

	/** More than any transport lets through by default. */
	private static final int MAX_BYTES = 1024 * 1024;

	private StatusDetails() {
	}

	/**
	 * Puts one {@code ErrorInfo} of the framework's domain into trailers, in place of
	 * whatever details they hold.
	 * @param trailers the trailers to change
	 * @param status status that the call ends with
	 * @param reason the reason
	 * @param metadata metadata of the {@code ErrorInfo}
	 */
	public static void put(Metadata trailers, Status status, Reason reason, Map<String, String> metadata) {
		ErrorInfo info = ErrorInfo.newBuilder()
			.setReason(reason.name())
			.setDomain(DOMAIN)
			.putAllMetadata(metadata)
			.build();
		put(trailers, status, List.of(Any.pack(info)));
	}

	/**
	 * Puts details into trailers, in place of whatever details they hold.
	 * @param trailers the trailers to change
	 * @param status status that the call ends with
	 * @param details the details; if there are none, nothing is put
	 */
	public static void put(Metadata trailers, Status status, List<Any> details) {
		trailers.discardAll(DETAILS);
		if (details.isEmpty()) {
			return;
		}
		com.google.rpc.Status.Builder message = com.google.rpc.Status.newBuilder().setCode(status.getCode().value());
		if (status.getDescription() != null) {
			message.setMessage(status.getDescription());
		}
		trailers.put(DETAILS, message.addAllDetails(details).build().toByteArray());
	}

	static byte @Nullable [] bytes(Metadata trailers) {
		return trailers.get(DETAILS);
	}

	/**
	 * Whether there is more than the one entry that peers read.
	 */
	static boolean isRepeated(Metadata trailers) {
		Iterable<byte[]> all = trailers.getAll(DETAILS);
		if (all == null) {
			return false;
		}
		Iterator<byte[]> entries = all.iterator();
		entries.next();
		return entries.hasNext();
	}

	static boolean isNameOfDetails(String name) {
		return DETAILS.name().equals(name);
	}

	/**
	 * Whether trailers carry details of any kind.
	 * @param trailers the trailers
	 * @return {@code true} if they do
	 */
	public static boolean isPresent(Metadata trailers) {
		return trailers.containsKey(DETAILS);
	}

	/**
	 * Finds the framework's own {@code ErrorInfo} with a given reason.
	 * @param trailers trailers that a peer sent; {@code null} if it sent none
	 * @param reason the reason
	 * @return the {@code ErrorInfo}; {@code null} if there is none, or if the details
	 * cannot be read
	 */
	public static @Nullable ErrorInfo find(@Nullable Metadata trailers, Reason reason) {
		try {
			byte[] bytes = (trailers != null) ? trailers.get(DETAILS) : null;
			return (bytes != null && bytes.length <= MAX_READ_BYTES) ? find(bytes, reason) : null;
		}
		catch (InvalidProtocolBufferException | IllegalArgumentException ex) {
			// A peer's details that nobody can read say as much as none.
			return null;
		}
	}

	/**
	 * Reads all details. Unlike {@code StatusProto}, whatever code they repeat.
	 * @param trailers trailers that a peer sent; {@code null} if it sent none
	 * @return the details; empty if there are none, or if they cannot be read
	 */
	public static List<Any> read(@Nullable Metadata trailers) {
		try {
			byte[] bytes = (trailers != null) ? trailers.get(DETAILS) : null;
			return (bytes != null && bytes.length <= MAX_BYTES)
					? com.google.rpc.Status.parseFrom(bytes).getDetailsList() : List.of();
		}
		catch (InvalidProtocolBufferException | RuntimeException ex) {
			// A peer's details that nobody can read say as much as none.
			return List.of();
		}
	}

	private static @Nullable ErrorInfo find(byte[] bytes, Reason reason) throws InvalidProtocolBufferException {
		for (Any detail : com.google.rpc.Status.parseFrom(bytes).getDetailsList()) {
			if (detail.is(ErrorInfo.class)) {
				ErrorInfo info = detail.unpack(ErrorInfo.class);
				if (DOMAIN.equals(info.getDomain()) && reason.name().equals(info.getReason())) {
					return info;
				}
			}
		}
		return null;
	}

}
