package io.github.grpcresilience.internal.status;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;

/**
 * Makes an {@link ErrorInfo} fit: the largest metadata go first, the reason stays.
 */
final class ErrorInfoTrimmer {

	/** Longer than AIP-193 allows a reason to be. */
	private static final int MAX_NAME_BYTES = 128;

	private ErrorInfoTrimmer() {
	}

	static Any trim(Any detail, int room) {
		try {
			ErrorInfo.Builder info = detail.unpack(ErrorInfo.class).toBuilder();
			info.setReason(Utf8.cut(info.getReason(), MAX_NAME_BYTES));
			info.setDomain(Utf8.cut(info.getDomain(), MAX_NAME_BYTES));
			List<String> largestFirst = info.getMetadataMap()
				.entrySet()
				.stream()
				.sorted(Comparator.comparingInt(ErrorInfoTrimmer::size).reversed())
				.map(Map.Entry::getKey)
				.toList();
			Any packed = Any.pack(info.build());
			for (int i = 0; i < largestFirst.size() && DetailTrimmer.size(packed) > room; i++) {
				packed = Any.pack(info.removeMetadata(largestFirst.get(i)).build());
			}
			return packed;
		}
		catch (InvalidProtocolBufferException ex) {
			return detail; // it is something else than it says, and goes as a whole
		}
	}

	private static int size(Map.Entry<String, String> entry) {
		return Utf8.size(entry.getKey()) + Utf8.size(entry.getValue());
	}

}
