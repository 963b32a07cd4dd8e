package io.github.grpcresilience.internal.status;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.StringValue;
import com.google.rpc.BadRequest;
import com.google.rpc.DebugInfo;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Help;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.QuotaFailure;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.internal.status.TrailerGuard.Answer;

import static org.assertj.core.api.Assertions.assertThat;

class TrailerGuardTests {

	private static final int MAX = 4096;

	private static final ErrorInfo INFO = ErrorInfo.newBuilder()
		.setReason("SKU_UNKNOWN")
		.setDomain("shop")
		.putMetadata("sku", "SKU-7")
		.build();

	private static final RetryInfo RETRY = RetryInfo.newBuilder()
		.setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(7))
		.build();

	private static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin",
			Metadata.BINARY_BYTE_MARSHALLER);

	private static final Metadata.Key<String> OWN = Metadata.Key.of("x-own", Metadata.ASCII_STRING_MARSHALLER);

	private final TrailerGuard guard = new TrailerGuard(MAX);

	private static Metadata trailers(Status status, Message... details) {
		Metadata trailers = new Metadata();
		List<Any> packed = new ArrayList<>();
		for (Message detail : details) {
			packed.add(Any.pack(detail));
		}
		StatusDetails.put(trailers, status, packed);
		return trailers;
	}

	/** As nginx reads them by default. */
	@Test
	void defaultDetailsFitIntoAPageWhateverTheMessage() {
		BadRequest.Builder violations = BadRequest.newBuilder();
		for (int i = 0; i < 15; i++) {
			violations.addFieldViolations(BadRequest.FieldViolation.newBuilder()
				.setField("items[" + i + "]")
				.setDescription("x".repeat(200)));
		}
		TrailerGuard byDefault = new TrailerGuard(TrailerGuard.PAGE_DETAILS_BYTES);
		for (String message : List.of("short", "x".repeat(600), "\u00e4".repeat(300))) {
			Status status = Status.FAILED_PRECONDITION.withDescription(message);
			Answer answer = byDefault.trim(status, trailers(status, INFO, violations.build()));
			int text = 3 * answer.status().getDescription().length();
			int size = answer.trailers().get(DETAILS).length * 4 / 3;
			assertThat(size + (message.startsWith("\u00e4") ? 2 * text : text / 3)).isLessThan(4_096 - 150);
			assertThat(StatusDetails.read(answer.trailers())).hasSize(2);
		}
	}

	private List<Message> trim(Message... details) throws InvalidProtocolBufferException {
		Answer answer = this.guard.trim(Status.ABORTED, trailers(Status.ABORTED, details));
		assertThat(answer).isNotNull();
		assertThat(answer.trailers().get(DETAILS).length).isLessThanOrEqualTo(MAX);
		List<Message> kept = new ArrayList<>();
		for (Any detail : StatusDetails.read(answer.trailers())) {
			for (Class<? extends Message> type : List.of(ErrorInfo.class, RetryInfo.class, BadRequest.class,
					QuotaFailure.class, ResourceInfo.class, DebugInfo.class, Help.class, LocalizedMessage.class,
					StringValue.class)) {
				if (detail.is(type)) {
					kept.add(detail.unpack(type));
				}
			}
		}
		return kept;
	}

	private static LocalizedMessage text(int size) {
		return LocalizedMessage.newBuilder().setLocale("de").setMessage("x".repeat(size)).build();
	}

	private static DebugInfo debug(int size) {
		return DebugInfo.newBuilder().setDetail("x".repeat(size)).build();
	}

	private static Help help(int size) {
		return Help.newBuilder().addLinks(Help.Link.newBuilder().setUrl("x".repeat(size))).build();
	}

	private static BadRequest violations(int count, int size) {
		BadRequest.Builder request = BadRequest.newBuilder();
		for (int i = 0; i < count; i++) {
			request.addFieldViolationsBuilder().setField("items[" + i + "]").setDescription("y".repeat(size));
		}
		return request.build();
	}

	@Test
	void whatFitsIsLeftAlone() {
		Status status = Status.NOT_FOUND.withDescription("no such article: 100 % über\n");
		assertThat(this.guard.trim(status, trailers(status, INFO, RETRY, violations(20, 60)))).isNull();
		assertThat(this.guard.trim(status, new Metadata())).isNull();
	}

	@Test
	void debugInfoGoesFirst() throws Exception {
		assertThat(trim(debug(1900), INFO, help(1400), text(1400))).containsExactly(INFO, help(1400), text(1400));
	}

	@Test
	void helpGoesSecondAndTextsThird() throws Exception {
		assertThat(trim(debug(9000), INFO, help(2100), text(2100))).containsExactly(INFO, text(2100));
		assertThat(trim(debug(9000), INFO, help(2100), text(4100), violations(1, 7))).containsExactly(INFO,
				violations(1, 7));
	}

	@Test
	void violationsAreTrimmedAndCounted() throws Exception {
		List<Message> kept = trim(INFO, violations(1_000, 100), RETRY);
		assertThat(kept).hasSize(3).contains(INFO, RETRY);
		BadRequest request = (BadRequest) kept.get(1);
		int last = request.getFieldViolationsCount() - 1;
		assertThat(last).isGreaterThan(25);
		assertThat(request.getFieldViolations(last).getDescription()).isEqualTo((1_000 - last) + " more were left out");
		assertThat(request.getFieldViolations(last).getField()).isEmpty();
		assertThat(request.getFieldViolationsList().subList(0, last))
			.isEqualTo(violations(1_000, 100).getFieldViolationsList().subList(0, last));
	}

	@Test
	void longTextsOfViolationsAreShortenedBeforeTheyGo() throws Exception {
		BadRequest request = (BadRequest) trim(violations(7, 2_000)).get(0);
		assertThat(request.getFieldViolationsList()).hasSize(7)
			.allMatch((violation) -> violation.getDescription().equals("y".repeat(256)));
	}

	@Test
	void severalListsOfViolationsAreTrimmed() throws Exception {
		QuotaFailure.Builder quotas = QuotaFailure.newBuilder();
		for (int i = 0; i < 400; i++) {
			quotas.addViolationsBuilder().setSubject("tenant-" + i).setDescription("z".repeat(70));
		}
		List<Message> kept = trim(INFO, quotas.build(), violations(400, 70));
		assertThat(kept).hasSize(3);
		assertThat(((BadRequest) kept.get(2)).getFieldViolationsCount()).isPositive();
		assertThat(((QuotaFailure) kept.get(1)).getViolationsCount()).isPositive();
	}

	@Test
	void unknownDetailsGoBeforeReasonAndRetryDelay() throws Exception {
		assertThat(
				trim(StringValue.of("z".repeat(20_000)), RETRY, INFO, ResourceInfo.newBuilder().setOwner("o").build()))
			.containsExactly(RETRY, INFO, ResourceInfo.newBuilder().setOwner("o").build());
	}

	@Test
	void largestMetadataGoAndTheReasonStays() throws Exception {
		ErrorInfo large = INFO.toBuilder()
			.putMetadata("big", "b".repeat(9_000))
			.putMetadata("mid", "m".repeat(70))
			.build();
		assertThat(trim(large, RETRY)).containsExactly(INFO.toBuilder().putMetadata("mid", "m".repeat(70)).build(),
				RETRY);
		ErrorInfo absurd = ErrorInfo.newBuilder().setReason("R".repeat(50_000)).setDomain("d".repeat(50_000)).build();
		assertThat(trim(absurd)).hasSize(1);
	}

	@Test
	void onlyTheFirstDetailOfATypeStays() throws Exception {
		assertThat(trim(INFO, RETRY, INFO.toBuilder().setReason("OTHER").build())).containsExactly(INFO, RETRY);
	}

	@Test
	void detailsThatNobodyCanReadGoIfTheyAreLarge() {
		Metadata trailers = new Metadata();
		trailers.put(DETAILS, "garbage".getBytes(StandardCharsets.UTF_8));
		assertThat(this.guard.trim(Status.ABORTED, trailers)).isNull();
		Metadata large = new Metadata();
		large.put(DETAILS, "garbage".repeat(1_000).getBytes(StandardCharsets.UTF_8));
		Answer answer = this.guard.trim(Status.ABORTED, large);
		assertThat(answer).isNotNull();
		assertThat(answer.trailers().keys()).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "x", "é", "語", "😀", "%", "\n" })
	void messageIsCutAtACharacter(String character) throws Exception {
		Status status = Status.ABORTED.withDescription("a" + character.repeat(1_000_000));
		Answer answer = this.guard.trim(status, trailers(status, INFO));
		String message = answer.status().getDescription();
		assertThat(message.getBytes(StandardCharsets.UTF_8).length).isBetween(508, 512);
		assertThat(status.getDescription()).startsWith(message);
		assertThat(message).endsWith(character);
		assertThat(com.google.rpc.Status.parseFrom(answer.trailers().get(DETAILS)).getMessage()).isEqualTo(message);
		assertThat(StatusDetails.read(answer.trailers())).hasSize(1);
	}

	@Test
	void loneSurrogatesDoNoHarm() {
		Status status = Status.ABORTED.withDescription("\uD83D".repeat(900));
		assertThat(this.guard.trim(status, trailers(status, INFO)).status().getDescription()).hasSizeLessThan(513);
	}

	@Test
	void detailsMakeRoomForOtherTrailers() {
		Status status = Status.ABORTED.withDescription("語".repeat(170));
		Metadata trailers = trailers(status, INFO, violations(60, 50));
		trailers.put(OWN, "o".repeat(2_000));
		Answer answer = this.guard.trim(status, trailers);
		assertThat(answer.trailers().get(OWN)).hasSize(2_000);
		assertThat(answer.trailers().get(DETAILS).length).isBetween(1_000, 3_300);
		assertThat(trailers.get(DETAILS).length).as("what was given").isGreaterThan(3_500);
	}

	@Test
	void trailersThatLeaveNoRoomGoLargestFirst() {
		Metadata trailers = trailers(Status.ABORTED, INFO);
		Metadata.Key<byte[]> binary = Metadata.Key.of("x-own-bin", Metadata.BINARY_BYTE_MARSHALLER);
		trailers.put(binary, new byte[20_000]);
		trailers.put(OWN, "kept");
		Answer answer = this.guard.trim(Status.ABORTED, trailers);
		assertThat(answer.trailers().get(OWN)).isEqualTo("kept");
		assertThat(answer.trailers().containsKey(binary)).isFalse();
		assertThat(StatusDetails.read(answer.trailers())).hasSize(1);
		assertThat(trailers.containsKey(binary)).as("what was given").isTrue();
	}

}
