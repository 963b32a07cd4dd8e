package io.github.grpcresilience.internal.status;

import java.util.List;

import com.google.protobuf.Any;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;

/**
 * Makes a list of violations fit: texts are shortened, the last violations go, and one
 * more says how many went.
 */
final class ViolationTrimmer {

	private static final int MAX_TEXT_BYTES = 256;

	/** What the count takes, with room to spare. */
	private static final int COUNT_BYTES = 64;

	private ViolationTrimmer() {
	}

	static Any trim(Any detail, int room) {
		try {
			if (detail.is(BadRequest.class)) {
				return trim(detail.unpack(BadRequest.class), BadRequest.FIELD_VIOLATIONS_FIELD_NUMBER, room);
			}
			if (detail.is(PreconditionFailure.class)) {
				return trim(detail.unpack(PreconditionFailure.class), PreconditionFailure.VIOLATIONS_FIELD_NUMBER,
						room);
			}
			return trim(detail.unpack(QuotaFailure.class), QuotaFailure.VIOLATIONS_FIELD_NUMBER, room);
		}
		catch (InvalidProtocolBufferException ex) {
			return detail; // it is something else than it says, and goes as a whole
		}
	}

	private static Any trim(Message all, int fieldNumber, int room) {
		FieldDescriptor field = all.getDescriptorForType().findFieldByNumber(fieldNumber);
		List<?> violations = (List<?>) all.getField(field);
		Message.Builder kept = all.toBuilder().clearField(field);
		int size = DetailTrimmer.size(Any.pack(kept.build())) + COUNT_BYTES;
		int count = 0;
		for (Object violation : violations) {
			Message shorter = shorten((Message) violation);
			size += CodedOutputStream.computeMessageSize(fieldNumber, shorter);
			if (size > room) {
				break;
			}
			kept.addRepeatedField(field, shorter);
			count++;
		}
		if (count < violations.size()) {
			Message.Builder rest = kept.newBuilderForField(field);
			rest.setField(rest.getDescriptorForType().findFieldByName("description"),
					(violations.size() - count) + " more were left out");
			kept.addRepeatedField(field, rest.build());
		}
		return Any.pack(kept.build());
	}

	private static Message shorten(Message violation) {
		Message.Builder shorter = violation.toBuilder();
		violation.getAllFields().forEach((field, value) -> {
			if (value instanceof String text) {
				shorter.setField(field, Utf8.cut(text, MAX_TEXT_BYTES));
			}
			else if (field.isRepeated() || value instanceof Message) {
				shorter.clearField(field); // such as texts for users
			}
		});
		return shorter.build();
	}

}
