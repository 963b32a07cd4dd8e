package io.github.grpcresilience.internal.status;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.status.Reason;

import static org.assertj.core.api.Assertions.assertThat;

class StatusDetailsTests {

	private static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin",
			Metadata.BINARY_BYTE_MARSHALLER);

	private static final Status EXCEEDED = Status.DEADLINE_EXCEEDED.withDescription("too late");

	@Test
	void putsWhatGrpcJavaItselfReads() throws InvalidProtocolBufferException {
		com.google.rpc.Status read = StatusProto
			.fromThrowable(EXCEEDED.asRuntimeException(trailers(Map.of("budget_ms", "7"))));
		assertThat(read.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED.value());
		assertThat(read.getMessage()).isEqualTo("too late");
		assertThat(read.getDetailsList()).hasSize(1);
		assertThat(read.getDetails(0).unpack(ErrorInfo.class)).isEqualTo(ErrorInfo.newBuilder()
			.setReason("DEADLINE_EXCEEDED")
			.setDomain("grpc-resilience")
			.putMetadata("budget_ms", "7")
			.build());
	}

	@Test
	void putsAStatusWithoutDescription() {
		Metadata trailers = new Metadata();
		StatusDetails.put(trailers, Status.INVALID_ARGUMENT, Reason.DEADLINE_REQUIRED, Map.of());
		assertThat(StatusDetails.find(trailers, Reason.DEADLINE_REQUIRED)).isNotNull();
	}

	@Test
	void replacesDetailsInsteadOfDoublingThem() throws InvalidProtocolBufferException {
		Metadata trailers = trailers(Map.of("hop", "first"));
		trailers.put(DETAILS, details(Any.pack(RetryInfo.getDefaultInstance())));
		StatusDetails.put(trailers, EXCEEDED, Reason.BUDGET_EXHAUSTED, Map.of("hop", "second"));
		assertThat(trailers.getAll(DETAILS)).hasSize(1);
		assertThat(com.google.rpc.Status.parseFrom(trailers.get(DETAILS)).getDetailsList()).hasSize(1);
		assertThat(StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED)).isNull();
		assertThat(StatusDetails.find(trailers, Reason.BUDGET_EXHAUSTED).getMetadataOrThrow("hop")).isEqualTo("second");
	}

	@Test
	void keepsOtherTrailers() {
		Metadata.Key<String> own = Metadata.Key.of("x-own", Metadata.ASCII_STRING_MARSHALLER);
		Metadata trailers = new Metadata();
		trailers.put(own, "kept");
		StatusDetails.put(trailers, EXCEEDED, Reason.DEADLINE_EXCEEDED, Map.of());
		assertThat(trailers.get(own)).isEqualTo("kept");
	}

	@Test
	void keepsTextOfAnyScript() {
		String text = "Lagerbestände 在庫 \uD83D\uDCE6 \u0000\u2028";
		Metadata trailers = new Metadata();
		StatusDetails.put(trailers, Status.DEADLINE_EXCEEDED.withDescription(text), Reason.DEADLINE_EXCEEDED,
				Map.of(text, text));
		assertThat(StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED).getMetadataMap())
			.isEqualTo(Map.of(text, text));
	}

	@Test
	void findsNothingWhereNothingWasSent() {
		assertThat(StatusDetails.find(null, Reason.DEADLINE_EXCEEDED)).isNull();
		assertThat(StatusDetails.find(new Metadata(), Reason.DEADLINE_EXCEEDED)).isNull();
		assertThat(find(new byte[0])).isNull();
		assertThat(StatusDetails.isPresent(new Metadata())).isFalse();
	}

	@Test
	void findsTheReasonAskedForAmongOtherDetails() {
		byte[] sent = details(Any.pack(RetryInfo.getDefaultInstance()), info("grpc-resilience", "BUDGET_EXHAUSTED"),
				info("grpc-resilience", "DEADLINE_EXCEEDED"));
		assertThat(find(sent).getReason()).isEqualTo("DEADLINE_EXCEEDED");
	}

	@Test
	void ignoresWhatIsNotTheFrameworksOwn() {
		assertThat(find(details(info("shop.example", "DEADLINE_EXCEEDED")))).isNull();
		assertThat(find(details(info("", "DEADLINE_EXCEEDED")))).isNull();
		assertThat(find(details(info("grpc-resilience", "deadline_exceeded")))).isNull();
		assertThat(find(details(info("grpc-resilience", "FROM_THE_FUTURE")))).isNull();
		assertThat(find(details(Any.pack(RetryInfo.getDefaultInstance())))).isNull();
		assertThat(find(details())).isNull();
	}

	@Test
	void ignoresDetailsWhoseContentIsNotWhatTheirTypeSays() {
		Any lie = Any.newBuilder()
			.setTypeUrl("type.googleapis.com/google.rpc.ErrorInfo")
			.setValue(ByteString.copyFrom(new byte[] { 0x0A, 0x7F, 1 }))
			.build();
		assertThat(find(details(lie))).isNull();
		assertThat(find(details(Any.newBuilder().setTypeUrl("///").build()))).isNull();
		assertThat(find(details(Any.getDefaultInstance()))).isNull();
	}

	@Test
	void readsOrIgnoresEveryTruncation() {
		byte[] whole = trailers(Map.of("service", "inventory", "budget_ms", "7")).get(DETAILS);
		for (int length = 0; length < whole.length; length++) {
			assertThat(find(Arrays.copyOf(whole, length))).as("first %d bytes", length).isNull();
		}
		assertThat(find(whole)).isNotNull();
	}

	@Test
	void readsOrIgnoresGarbage() {
		Random random = new Random(7);
		for (int i = 0; i < 20_000; i++) {
			byte[] garbage = new byte[random.nextInt(64)];
			random.nextBytes(garbage);
			assertThat(find(garbage)).isNull();
		}
	}

	@Test
	void readsOrIgnoresEveryFlippedByte() {
		byte[] whole = trailers(Map.of("service", "inventory")).get(DETAILS);
		Random random = new Random(7);
		for (int i = 0; i < 20_000; i++) {
			byte[] broken = whole.clone();
			broken[random.nextInt(broken.length)] = (byte) random.nextInt();
			ErrorInfo found = find(broken);
			assertThat(found == null || found.getReason().equals("DEADLINE_EXCEEDED")).isTrue();
		}
	}

	@Test
	void ignoresNestingThatWouldExhaustTheStack() {
		// 0x0B opens a group of field 1; a parser without a limit would recurse 8,000
		// deep.
		byte[] nested = new byte[8000];
		Arrays.fill(nested, (byte) 0x0B);
		assertThat(find(nested)).isNull();
	}

	@Test
	void ignoresMoreThanEightKilobytes() {
		assertThat(find(padded(8 * 1024))).isNotNull();
		assertThat(find(padded(8 * 1024 + 1))).isNull();
	}

	@Test
	void knowsThatDetailsArePresentWhateverTheySay() {
		Metadata trailers = new Metadata();
		trailers.put(DETAILS, new byte[] { 1, 2, 3 });
		assertThat(StatusDetails.isPresent(trailers)).isTrue();
	}

	private static byte[] padded(int size) {
		Any info = info("grpc-resilience", "DEADLINE_EXCEEDED");
		int padding = size;
		byte[] sent;
		do {
			sent = com.google.rpc.Status.newBuilder()
				.setMessage("x".repeat(padding--))
				.addDetails(info)
				.build()
				.toByteArray();
		}
		while (sent.length > size);
		assertThat(sent).hasSize(size);
		return sent;
	}

	private static ErrorInfo find(byte[] sent) {
		Metadata trailers = new Metadata();
		trailers.put(DETAILS, sent);
		return StatusDetails.find(trailers, Reason.DEADLINE_EXCEEDED);
	}

	private static Metadata trailers(Map<String, String> metadata) {
		Metadata trailers = new Metadata();
		StatusDetails.put(trailers, EXCEEDED, Reason.DEADLINE_EXCEEDED, metadata);
		return trailers;
	}

	private static byte[] details(Any... details) {
		return com.google.rpc.Status.newBuilder()
			.setCode(4)
			.addAllDetails(Arrays.asList(details))
			.build()
			.toByteArray();
	}

	private static Any info(String domain, String reason) {
		return Any.pack(ErrorInfo.newBuilder().setDomain(domain).setReason(reason).build());
	}

}
