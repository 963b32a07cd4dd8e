package io.github.grpcresilience.error;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ResourceInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.MetadataUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.Calls;
import io.github.grpcresilience.Calls.Ended;
import io.github.grpcresilience.Finding;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.GrpcResilienceBuilder;
import io.github.grpcresilience.Loopback;
import io.github.grpcresilience.Shop;
import io.github.grpcresilience.event.ResilienceEvent.UnhandledError;
import io.github.grpcresilience.policy.Mode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

class GrpcErrorTests {

	private static final Metadata.Key<String> TRACE_PARENT = Metadata.Key.of("traceparent",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final Metadata.Key<String> ACCEPT_LANGUAGE = Metadata.Key.of("accept-language",
			Metadata.ASCII_STRING_MARSHALLER);

	private final Loopback loopback = new Loopback();

	private final Queue<UnhandledError> unhandled = new ConcurrentLinkedQueue<>();

	@AfterEach
	void close() {
		this.loopback.close();
	}

	private GrpcErrors call(GrpcResilienceBuilder builder, Supplier<RuntimeException> thrown) {
		return call(builder, thrown, new Metadata());
	}

	private GrpcErrors call(GrpcResilienceBuilder builder, Supplier<RuntimeException> thrown, Metadata headers) {
		GrpcResilience resilience = this.loopback.resilience(builder.events((event) -> {
			if (event instanceof UnhandledError error) {
				this.unhandled.add(error);
			}
		}));
		Shop shop = new Shop().unary((request, observer) -> {
			throw thrown.get();
		});
		Channel channel = ClientInterceptors.intercept(
				this.loopback.plainChannel(this.loopback.serve(resilience, shop)),
				MetadataUtils.newAttachHeadersInterceptor(headers));
		return errors(Calls.run(channel, Shop.UNARY, CallOptions.DEFAULT));
	}

	private static GrpcErrors errors(Ended ended) {
		return GrpcErrors.from(ended.status().asRuntimeException(ended.trailers()));
	}

	private static GrpcResilienceBuilder mapping(ErrorMapper<?>... mappers) {
		return GrpcResilience.builder().errorMappers(() -> List.of(mappers), List::of);
	}

	private static <E extends Throwable> ErrorMapper<E> to(Class<E> type, String reason) {
		return ErrorMapper.of(type, (ex) -> GrpcError.answer(Code.ABORTED).reason(reason));
	}

	@Test
	void serializationKeepsWhatItSays() throws Exception {
		GrpcError error = GrpcError.of(Code.NOT_FOUND)
			.reason("SKU_UNKNOWN")
			.message("no such article")
			.causedBy(new IOException("gone"));
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		new ObjectOutputStream(bytes).writeObject(error);
		Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
		assertThat((Throwable) read).hasMessage("NOT_FOUND SKU_UNKNOWN: no such article").hasRootCauseMessage("gone");
	}

	@Test
	void plainServerSendsItToo() {
		Shop shop = new Shop().unary((request, observer) -> observer
			.onError(GrpcError.of(Code.NOT_FOUND).reason("SKU_UNKNOWN").message("no such article").with("sku", 7)));
		GrpcErrors errors = errors(Calls.run(this.loopback.plainChannel(this.loopback.servePlain(shop, (server) -> {
		})), Shop.UNARY, CallOptions.DEFAULT));
		assertThat(errors.code()).isEqualTo(Code.NOT_FOUND);
		assertThat(errors.message()).isEqualTo("no such article");
		assertThat(errors.metadata()).containsEntry("sku", "7");
	}

	@Test
	void readsAsWhatItSays() {
		GrpcError error = GrpcError.of(Code.ABORTED).reason("BUSY").message("later");
		assertThat(GrpcErrors.from(new CompletionException(error)).reason()).hasValue("BUSY");
		assertThat(error).hasMessage("ABORTED BUSY: later");
		assertThat(error.getStackTrace()[0].getMethodName()).isEqualTo("of");
		assertThat(GrpcError.answer(Code.ABORTED).getStackTrace()).isEmpty();
	}

	@Test
	void chainOfCausesHasAnEnd() {
		IOException origin = new IOException("origin");
		Throwable cause = GrpcError.of(Code.ABORTED).causedBy(origin);
		int length = 0;
		Throwable root = cause;
		for (; cause != null && length < 10; cause = cause.getCause()) {
			length++;
			root = cause;
		}
		assertThat(length).isLessThan(5);
		assertThat(root).isSameAs(origin);
	}

	@Test
	void okIsNoError() {
		assertThatIllegalArgumentException().isThrownBy(() -> GrpcError.of(Code.OK));
		assertThat(call(GrpcResilience.builder(), Status.OK::asRuntimeException).code()).isEqualTo(Code.INTERNAL);
	}

	@Test
	void thereIsOneDetailOfAType() {
		GrpcErrors errors = call(GrpcResilience.builder(),
				() -> GrpcError.of(Code.INVALID_ARGUMENT)
					.with(ResourceInfo.newBuilder().setOwner("first").build())
					.withViolation("a", "is wrong")
					.withViolation("b[0].c", "is wrong, too")
					.with(ResourceInfo.newBuilder().setOwner("second").build())
					.retryAfter(Duration.ofSeconds(-7)));
		assertThat(errors.details()).hasSize(3);
		assertThat(errors.resourceInfo().get().getOwner()).isEqualTo("second");
		assertThat(errors.retryDelay()).hasValue(Duration.ZERO);
		assertThat(errors.badRequest().map(BadRequest::getFieldViolationsList).get())
			.extracting(FieldViolation::getField)
			.containsExactly("a", "b[0].c");
	}

	@Test
	void nearestMapperIsAskedFirst() {
		GrpcResilienceBuilder builder = mapping(to(RuntimeException.class, "RUNTIME"), to(IOException.class, "IO"),
				to(FileNotFoundException.class, "FILE"), to(Throwable.class, "ANY"));
		assertThat(call(builder, () -> new UncheckedIOException(new FileNotFoundException())).reason())
			.hasValue("RUNTIME");
		GrpcResilienceBuilder causes = mapping(to(IOException.class, "IO"), to(FileNotFoundException.class, "FILE"));
		assertThat(call(causes, () -> new UncheckedIOException(new FileNotFoundException())).reason()).hasValue("FILE");
	}

	@Test
	void mapperThatKnowsNothingLeavesItToTheNext() {
		GrpcResilienceBuilder builder = mapping(ErrorMapper.of(IllegalArgumentException.class, (ex) -> null),
				to(RuntimeException.class, "RUNTIME"));
		assertThat(call(builder, NumberFormatException::new).reason()).hasValue("RUNTIME");
	}

	@Test
	void builtInMapperSeesOnlyWhatWasThrown() {
		BuiltInErrors builtIn = () -> List.of(to(IllegalArgumentException.class, "BUILT_IN"));
		GrpcResilienceBuilder builder = GrpcResilience.builder().errorMappers(List::of, () -> List.of(builtIn));
		assertThat(call(builder, () -> new CompletionException(new NumberFormatException())).reason())
			.hasValue("BUILT_IN");
		assertThat(call(builder, () -> new IllegalStateException(new NumberFormatException())).reason())
			.hasValue("INTERNAL");
	}

	@Test
	void mapperThatThrowsIsReportedWithWhatItWasAskedAbout() {
		GrpcErrors errors = call(mapping(ErrorMapper.of(IllegalStateException.class, (ex) -> {
			throw new UnsupportedOperationException("of the mapper");
		})), () -> new IllegalStateException("of the handler"));
		assertThat(errors.reason()).hasValue("INTERNAL");
		await().until(() -> this.unhandled.size() == 1);
		assertThat(this.unhandled.peek().thrown()).hasRootCauseMessage("of the mapper");
		assertThat(this.unhandled.peek().thrown().getSuppressed()[0]).hasMessage("of the handler");
	}

	@Test
	void mappersAreAskedForWhenTheFirstErrorComes() {
		AtomicInteger asked = new AtomicInteger();
		GrpcResilienceBuilder builder = GrpcResilience.builder().errorMappers(() -> {
			asked.incrementAndGet();
			return List.of(to(IllegalStateException.class, "LATE"));
		}, List::of);
		this.loopback.resilience(builder);
		assertThat(asked).hasValue(0);
		assertThat(call(builder, IllegalStateException::new).reason()).hasValue("LATE");
	}

	@Test
	void debugInfoIsSentOnlyWhereAskedFor() {
		assertThat(call(GrpcResilience.builder(), IllegalStateException::new).debugInfo()).isEmpty();
		GrpcResilienceBuilder builder = GrpcResilience.builder().errors(new ErrorSettings("shop", 4096, true));
		assertThat(call(builder, () -> new IllegalStateException("seven")).debugInfo().get().getDetail())
			.startsWith("java.lang.IllegalStateException: seven")
			.contains("GrpcErrorTests");
		assertThat(builder.build().inspection().findings()).extracting(Finding::id).containsExactly("DEBUG_INFO");
	}

	@ParameterizedTest
	@CsvSource({ "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 4bf92f3577b34da6a3ce929d0e0e4736",
			"00-4BF92F3577B34DA6A3CE929D0E0E473Z-00f067aa0ba902b7-01,", "00-4bf9,", "'',", "%0a%00,",
			"00-ｆbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01," })
	void idIsThatOfTheTrace(String parent, String id) {
		Metadata headers = new Metadata();
		headers.put(TRACE_PARENT, parent);
		String sent = call(GrpcResilience.builder(), IllegalStateException::new, headers).requestInfo()
			.get()
			.getRequestId();
		assertThat(sent).matches("[0-9a-f]{32}");
		if (id != null) {
			assertThat(sent).isEqualTo(id);
		}
	}

	@Test
	void currentSpanKnowsTheTraceBest() {
		Metadata headers = new Metadata();
		headers.put(TRACE_PARENT, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
		GrpcErrors errors = call(GrpcResilience.builder().traces(() -> "77"), IllegalStateException::new, headers);
		assertThat(errors.requestInfo().get().getRequestId()).isEqualTo("77");
	}

	@ParameterizedTest
	@CsvSource({ "'fr;q=0.2, de-AT', de-AT", "'xx, fr', fr", "'fr-CA', fr" })
	void textForUsersIsInTheLanguageThatTheyAskFor(String header, String locale) {
		Metadata headers = new Metadata();
		headers.put(ACCEPT_LANGUAGE, header);
		GrpcErrors errors = call(
				GrpcResilience.builder()
					.errorTexts((key, arguments, wanted) -> wanted.toLanguageTag().matches("de-AT|fr")
							? key + wanted.toLanguageTag() + arguments[0] : null),
				() -> GrpcError.of(Code.ABORTED).localized("k", 7), headers);
		assertThat(errors.localizedMessage().get().getLocale()).isEqualTo(locale);
		assertThat(errors.localizedMessage().get().getMessage()).isEqualTo("k" + locale + "7");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "*", "de;q=0", ";;;", "%%%", "q=", "x-7" })
	void whoAsksInNoKnownWayGetsTheDefaultLanguage(String header) {
		Metadata headers = new Metadata();
		headers.put(ACCEPT_LANGUAGE, header);
		GrpcErrors errors = call(GrpcResilience.builder().errorTexts((key, arguments, wanted) -> "text"),
				() -> GrpcError.of(Code.ABORTED).localized("k"), headers);
		assertThat(errors.localizedMessage().get().getMessage()).isEqualTo("text");
	}

	@Test
	void textThatCannotBeRenderedIsLeftOut() {
		GrpcErrors errors = call(GrpcResilience.builder().errorTexts((key, arguments, wanted) -> {
			throw new IllegalArgumentException("secret");
		}), () -> GrpcError.of(Code.ABORTED).localized("k"));
		assertThat(errors.code()).isEqualTo(Code.ABORTED);
		assertThat(errors.localizedMessage()).isEmpty();
	}

	@Test
	void observeChangesNothing() {
		GrpcErrors errors = call(mapping(to(IllegalStateException.class, "MAPPED")).mode(Mode.OBSERVE),
				IllegalStateException::new);
		assertThat(errors.code()).isEqualTo(Code.UNKNOWN);
		assertThat(errors.details()).isEmpty();
	}

}
