package io.github.grpcresilience.internal.status;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

import com.google.protobuf.Any;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.DebugInfo;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Help;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RetryInfo;

/**
 * Makes details fit: first goes what only people read, then violations are trimmed and
 * counted, then whatever else; reason and retry delay stay. Confined to one call.
 */
final class DetailTrimmer {

	private static final List<Class<? extends Message>> FIRST_TO_GO = List.of(DebugInfo.class, Help.class,
			LocalizedMessage.class);

	private static final List<Class<? extends Message>> VIOLATIONS = List.of(BadRequest.class,
			PreconditionFailure.class, QuotaFailure.class);

	private final List<Any> kept;

	private final int room;

	private DetailTrimmer(List<Any> kept, int room) {
		this.kept = kept;
		this.room = room;
	}

	static boolean hasTwoOfOneType(List<Any> details) {
		return firstOfEachType(details).size() < details.size();
	}

	/**
	 * Trims details.
	 * @param room bytes that they may take
	 */
	static List<Any> trim(List<Any> details, int room) {
		DetailTrimmer trimmer = new DetailTrimmer(firstOfEachType(details), room);
		FIRST_TO_GO.forEach(trimmer::drop);
		trimmer.trimViolations();
		trimmer.dropLargest((detail) -> !detail.is(ErrorInfo.class) && !detail.is(RetryInfo.class));
		trimmer.shortenErrorInfo();
		trimmer.dropLargest((detail) -> true);
		return trimmer.kept;
	}

	private static List<Any> firstOfEachType(List<Any> details) {
		Set<String> types = new HashSet<>();
		List<Any> first = new ArrayList<>(details);
		first.removeIf((detail) -> !types.add(typeName(detail)));
		return first;
	}

	private static String typeName(Any detail) {
		return detail.getTypeUrl().substring(detail.getTypeUrl().lastIndexOf('/') + 1);
	}

	/**
	 * Bytes that a detail takes among the others.
	 */
	static int size(Any detail) {
		return CodedOutputStream.computeMessageSize(com.google.rpc.Status.DETAILS_FIELD_NUMBER, detail);
	}

	private int excess() {
		return this.kept.stream().mapToInt(DetailTrimmer::size).sum() - this.room;
	}

	private void drop(Class<? extends Message> type) {
		if (excess() > 0) {
			this.kept.removeIf((detail) -> detail.is(type));
		}
	}

	private void dropLargest(Predicate<Any> droppable) {
		while (excess() > 0) {
			Any largest = this.kept.stream()
				.filter(droppable)
				.max(Comparator.comparingInt(DetailTrimmer::size))
				.orElse(null);
			if (largest == null) {
				return;
			}
			this.kept.remove(largest);
		}
	}

	private void trimViolations() {
		for (int i = 0; i < this.kept.size() && excess() > 0; i++) {
			Any detail = this.kept.get(i);
			if (VIOLATIONS.stream().anyMatch(detail::is)) {
				this.kept.set(i, ViolationTrimmer.trim(detail, size(detail) - excess()));
			}
		}
	}

	private void shortenErrorInfo() {
		for (int i = 0; i < this.kept.size() && excess() > 0; i++) {
			Any detail = this.kept.get(i);
			if (detail.is(ErrorInfo.class)) {
				this.kept.set(i, ErrorInfoTrimmer.trim(detail, size(detail) - excess()));
			}
		}
	}

}
