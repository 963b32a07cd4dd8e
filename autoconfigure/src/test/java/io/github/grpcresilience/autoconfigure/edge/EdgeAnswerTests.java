package io.github.grpcresilience.autoconfigure.edge;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.DebugInfo;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpStatus;
import org.springframework.http.converter.json.Jackson2ObjectMapperBuilder;
import org.springframework.mock.env.MockEnvironment;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.server.ResponseStatusException;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.Edge;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.autoconfigure.properties.PropertiesBinder;
import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;

class EdgeAnswerTests {

	private static final String SECRET = "hunter2";

	private final MockEnvironment environment = new MockEnvironment();

	@ParameterizedTest
	@CsvSource({ "CANCELLED, 499", "UNKNOWN, 500", "INVALID_ARGUMENT, 400", "DEADLINE_EXCEEDED, 504", "NOT_FOUND, 404",
			"ALREADY_EXISTS, 409", "PERMISSION_DENIED, 403", "RESOURCE_EXHAUSTED, 429", "FAILED_PRECONDITION, 400",
			"ABORTED, 409", "OUT_OF_RANGE, 400", "UNIMPLEMENTED, 501", "INTERNAL, 500", "UNAVAILABLE, 503",
			"DATA_LOSS, 500", "UNAUTHENTICATED, 401", "OK, 500" })
	void eachCodeHasItsStatus(Status.Code code, int status) {
		EdgeAnswer answer = answer(code.toStatus().asRuntimeException());
		assertThat(answer.status().value()).isEqualTo(status);
		assertThat(answer.headers().getFirst("Content-Type")).isEqualTo("application/problem+json");
		JsonNode body = json(answer);
		assertThat(body.path("status").asInt()).isEqualTo(status);
		assertThat(body.path("code").asText()).isEqualTo((code == Status.Code.OK) ? "UNKNOWN" : code.name());
		assertThat(body.path("title").asText()).isNotBlank();
		assertThat(body.path("instance").asText()).isEqualTo("/a/b");
	}

	@Test
	void chosenStatusesWinByReasonThenByCode() {
		this.environment.setProperty("grpc.resilience.edge.status-codes.NOT_FOUND", "410");
		this.environment.setProperty("grpc.resilience.edge.status-codes.aborted", "423");
		this.environment.setProperty("grpc.resilience.edge.reasons.SKU_UNKNOWN", "422");
		this.environment.setProperty("grpc.resilience.edge.reasons[OUT_OF_STOCK]", "409");
		assertThat(status(Status.Code.NOT_FOUND, null)).isEqualTo(410);
		assertThat(status(Status.Code.ABORTED, null)).isEqualTo(423);
		assertThat(status(Status.Code.NOT_FOUND, "SKU_UNKNOWN")).isEqualTo(422);
		assertThat(status(Status.Code.FAILED_PRECONDITION, "OUT_OF_STOCK")).isEqualTo(409);
		assertThat(status(Status.Code.FAILED_PRECONDITION, "OTHER")).isEqualTo(400);
	}

	private int status(Status.Code code, String reason) {
		return answer((reason != null) ? failure(code, "", ErrorInfo.newBuilder().setReason(reason).build())
				: code.toStatus().asRuntimeException())
			.status()
			.value();
	}

	@Test
	void problemSaysWhatWasWrongWithTheRequest() {
		JsonNode body = json(answer(failure(Status.Code.INVALID_ARGUMENT, "two fields are wrong",
				ErrorInfo.newBuilder()
					.setReason("CART_INVALID")
					.setDomain("shop.example")
					.putMetadata("budget_ms", "37")
					.putMetadata("cart", SECRET)
					.build(),
				RequestInfo.newBuilder().setRequestId("r-7f").setServingData(SECRET).build(), badRequest(),
				PreconditionFailure.newBuilder()
					.addViolations(PreconditionFailure.Violation.newBuilder()
						.setType("TOS")
						.setSubject("user:7")
						.setDescription("not accepted"))
					.build(),
				QuotaFailure.newBuilder()
					.addViolations(QuotaFailure.Violation.newBuilder().setSubject("carts").setDescription("3 at most"))
					.build(),
				DebugInfo.newBuilder().setDetail(SECRET).addStackEntries(SECRET).build())));
		assertThat(body.toString()).isEqualTo("""
				{"type":"about:blank","title":"Bad Request","status":400,"detail":"two fields are wrong",\
				"instance":"/a/b","code":"INVALID_ARGUMENT","reason":"CART_INVALID","domain":"shop.example",\
				"requestId":"r-7f","metadata":{"budget_ms":"37"},"errors":[\
				{"field":"lines[0].sku","description":"must not be empty","reason":"EMPTY"},\
				{"field":"quantity","description":"must be 1 to 100"},\
				{"type":"TOS","subject":"user:7","description":"not accepted"},\
				{"subject":"carts","description":"3 at most"}]}""");
	}

	@Test
	void googleFormatSaysTheSame() {
		this.environment.setProperty("grpc.resilience.edge.format", "google");
		EdgeAnswer answer = answer(failure(Status.Code.RESOURCE_EXHAUSTED, "slow down",
				ErrorInfo.newBuilder().setReason("QUOTA").setDomain("shop").putMetadata("side", "server").build(),
				RetryInfo.newBuilder()
					.setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(3).setNanos(5_000_000))
					.build(),
				badRequest(), LocalizedMessage.newBuilder().setLocale("de").setMessage("Langsamer!").build(),
				DebugInfo.newBuilder().setDetail(SECRET).build()));
		assertThat(answer.headers().getFirst("Content-Type")).isEqualTo("application/json");
		assertThat(answer.headers().getFirst("Retry-After")).isEqualTo("4");
		assertThat(json(answer).toString()).isEqualTo("""
				{"error":{"code":429,"message":"Langsamer!","status":"RESOURCE_EXHAUSTED","details":[\
				{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"QUOTA","domain":"shop",\
				"metadata":{"side":"server"}},\
				{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[\
				{"field":"lines[0].sku","description":"must not be empty","reason":"EMPTY"},\
				{"field":"quantity","description":"must be 1 to 100"}]},\
				{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.005000000s"},\
				{"@type":"type.googleapis.com/google.rpc.LocalizedMessage","locale":"de",\
				"message":"Langsamer!"}]}}""");
	}

	private static BadRequest badRequest() {
		return BadRequest.newBuilder()
			.addFieldViolations(BadRequest.FieldViolation.newBuilder()
				.setField("lines[0].sku")
				.setDescription("must not be empty")
				.setReason("EMPTY"))
			.addFieldViolations(
					BadRequest.FieldViolation.newBuilder().setField("quantity").setDescription("must be 1 to 100"))
			.build();
	}

	@Test
	void localizedMessageIsForUsers() {
		JsonNode body = json(answer(failure(Status.Code.NOT_FOUND, "no row in articles",
				LocalizedMessage.newBuilder().setLocale("en").setMessage("No such article").build())));
		assertThat(body.path("detail").asText()).isEqualTo("No such article");
	}

	@ParameterizedTest
	@EnumSource(EdgeFormat.class)
	void nothingThatAServerWritesOfItselfPasses(EdgeFormat format) {
		this.environment.setProperty("grpc.resilience.edge.format", format.name().toLowerCase(Locale.ROOT));
		// Remapped, code and status disagree: the one that hides wins.
		this.environment.setProperty("grpc.resilience.edge.status-codes.unavailable", "429");
		this.environment.setProperty("grpc.resilience.edge.status-codes.notfound", "502");
		for (Status.Code code : List.of(Status.Code.UNKNOWN, Status.Code.DEADLINE_EXCEEDED, Status.Code.UNIMPLEMENTED,
				Status.Code.INTERNAL, Status.Code.DATA_LOSS, Status.Code.UNAVAILABLE, Status.Code.NOT_FOUND)) {
			EdgeAnswer answer = answer(failure(code, SECRET + " at 10.0.0.7",
					ErrorInfo.newBuilder()
						.setReason("password is " + SECRET)
						.setDomain("jdbc:" + SECRET)
						.putMetadata("dsn", SECRET)
						.putMetadata("elapsed_ms", "41")
						.build(),
					RequestInfo.newBuilder().setRequestId("id of " + SECRET).setServingData(SECRET).build(),
					BadRequest.newBuilder()
						.addFieldViolations(
								BadRequest.FieldViolation.newBuilder().setField(SECRET).setDescription(SECRET))
						.build(),
					DebugInfo.newBuilder().setDetail(SECRET).addStackEntries(SECRET).build()));
			assertThat(json(answer).toString()).as("%s", code)
				.doesNotContain(SECRET, "10.0.0.7")
				.contains("elapsed_ms", code.name());
			assertThat(answer.headers().toString()).doesNotContain(SECRET);
		}
	}

	@Test
	void callOfOursWithoutADeadlineIsOurFault() {
		EdgeAnswer answer = answer(failure(Status.Code.INVALID_ARGUMENT, "send grpc-timeout",
				ErrorInfo.newBuilder().setReason("DEADLINE_REQUIRED").setDomain("grpc-resilience").build()));
		assertThat(answer.status().value()).isEqualTo(500);
		assertThat(json(answer).toString()).contains("INTERNAL").doesNotContain("grpc-timeout");
	}

	@Test
	void metadataIsShownAsTheApplicationSays() {
		this.environment.setProperty("grpc.resilience.edge.metadata", "*");
		JsonNode body = json(answer(failure(Status.Code.NOT_FOUND, "",
				ErrorInfo.newBuilder().putMetadata("a", "x".repeat(5_000)).putMetadata("b", "y").build())));
		assertThat(body.path("metadata").path("a").asText()).hasSize(256);
		assertThat(body.path("metadata").path("b").asText()).isEqualTo("y");
	}

	@ParameterizedTest
	@CsvSource({ "UNAVAILABLE, 0, 0, 1", "UNAVAILABLE, 0, 1, 1", "UNAVAILABLE, 1, 0, 1", "UNAVAILABLE, 1, 50000000, 2",
			"RESOURCE_EXHAUSTED, 37, 0, 37", "UNAVAILABLE, 9223372036854775807, 1, 31536001", "UNAVAILABLE, -7, 0, ",
			"UNAVAILABLE, 1, -1, ", "ABORTED, 3, 0, ", "DEADLINE_EXCEEDED, 3, 0, " })
	void retryAfterIsInWholeSeconds(Status.Code code, long seconds, int nanos, String header) {
		EdgeAnswer answer = answer(failure(code, "",
				RetryInfo.newBuilder()
					.setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(seconds).setNanos(nanos))
					.build()));
		assertThat(answer.headers().getFirst("Retry-After")).isEqualTo(header);
	}

	@Test
	void detailsThatCannotBeReadAreAbsent() {
		Metadata trailers = new Metadata();
		trailers.put(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
				new byte[] { 7, -1, 33 });
		JsonNode body = json(answer(Status.NOT_FOUND.withDescription("gone").asRuntimeException(trailers)));
		assertThat(body.path("detail").asText()).isEqualTo("gone");
		assertThat(body.has("reason")).isFalse();
		Any broken = Any.newBuilder()
			.setTypeUrl("type.googleapis.com/google.rpc.ErrorInfo")
			.setValue(ByteString.copyFrom(new byte[] { -1, -1 }))
			.build();
		assertThat(json(answer(StatusProto.toStatusRuntimeException(
				com.google.rpc.Status.newBuilder().setCode(Status.Code.ABORTED.value()).addDetails(broken).build())))
			.path("code")
			.asText()).isEqualTo("ABORTED");
	}

	@Test
	void failureIsFoundAmongCauses() {
		StatusRuntimeException failure = Status.NOT_FOUND.asRuntimeException();
		assertThat(HttpEdge.isFailedCall(new CompletionException(failure))).isTrue();
		assertThat(HttpEdge.isFailedCall(new IllegalStateException(new CompletionException(failure)))).isTrue();
		assertThat(HttpEdge.isFailedCall(new IllegalStateException("none"))).isFalse();
	}

	@Test
	void exceptionThatBringsItsOwnStatusIsNotOurs() {
		StatusRuntimeException failure = Status.NOT_FOUND.asRuntimeException();
		assertThat(HttpEdge.isFailedCall(new ResponseStatusException(HttpStatus.I_AM_A_TEAPOT, "tea", failure)))
			.isFalse();
		assertThat(HttpEdge.isFailedCall(new CompletionException(new Teapot(failure)))).isFalse();
	}

	@ParameterizedTest
	@CsvSource({ "grpc-timeout, 1234m, 1234", "grpc-timeout, 7S, 7000", "GRPC-Timeout, 2000u, 2",
			"grpc-timeout, 99999999H, 86400000", "X-Envoy-Expected-Rq-Timeout-Ms, 777, 777",
			"X-Envoy-Expected-Rq-Timeout-Ms, 999999999999999999, 86400000" })
	void budgetComesFromTheHeaders(String name, String value, long millis) {
		assertThat(find((header) -> header.equalsIgnoreCase(name) ? value : null)).isEqualTo(Duration.ofMillis(millis));
	}

	@Test
	void thereIsNoBudgetUnlessSomebodyGivesOne() {
		assertThat(find(Map.of("Other", "1")::get)).isNull();
		this.environment.setProperty("grpc.resilience.edge.default-budget", "1050ms");
		assertThat(find(Map.of("Other", "1")::get)).isEqualTo(Duration.ofMillis(1_050));
		assertThat(find(Map.of("grpc-timeout", "2S")::get)).isEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void malformedBudgetIsIgnoredAndCountedWhereNobodyToldTheEdge() {
		EdgeBudgets budgets = new EdgeBudgets(edge(), "gateway", false);
		assertThat(budgets.find(Map.of("grpc-timeout", "soon")::get)).isNull();
		assertThat(budgets.find(Map.of("grpc-timeout", "5x", "X-Envoy-Expected-Rq-Timeout-Ms", "71")::get).duration())
			.isEqualTo(Duration.ofMillis(71));
		assertThat(budgets.ignored()).isEqualTo(2);
	}

	private Duration find(Function<String, String> header) {
		EdgeBudget budget = budgets().find(header);
		return (budget != null) ? budget.duration() : null;
	}

	@Test
	void firstHeaderThatIsThereCounts() {
		assertThat(find(Map.of("grpc-timeout", "71m", "X-Envoy-Expected-Rq-Timeout-Ms", "x")::get))
			.isEqualTo(Duration.ofMillis(71));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "5", "m", "5x", "-5m", "+5m", "5 m", " 5m", "123456789m", "5M5", "1.5S", "٥m",
			"~5m", "5m,5m", "NaN", "0x5m" })
	void malformedTimeoutIsRefused(String value) {
		JsonNode body = refusal("grpc-timeout", value);
		assertThat(body.path("status").asInt()).isEqualTo(400);
		assertThat(body.path("code").asText()).isEqualTo("INVALID_ARGUMENT");
		assertThat(body.path("errors").path(0).path("field").asText()).isEqualTo("grpc-timeout");
		assertThat(body.path("detail").asText()).contains("1 to 8 digits");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "-1", "1.5", "5m", "1e3", "٥", "9999999999999999999" })
	void malformedMillisecondsAreRefused(String value) {
		assertThat(refusal("X-Envoy-Expected-Rq-Timeout-Ms", value).path("detail").asText())
			.contains("whole number of milliseconds");
	}

	@ParameterizedTest
	@CsvSource({ "grpc-timeout, 0m", "grpc-timeout, 00000000H", "X-Envoy-Expected-Rq-Timeout-Ms, 0" })
	void nothingLeftIsADeadlineExceeded(String name, String value) {
		this.environment.setProperty("grpc.resilience.edge.metadata", "service,side");
		JsonNode body = refusal(name, value);
		assertThat(body.path("status").asInt()).isEqualTo(504);
		assertThat(body.path("reason").asText()).isEqualTo("BUDGET_EXHAUSTED");
		assertThat(body.path("domain").asText()).isEqualTo("grpc-resilience");
		assertThat(body.path("metadata").path("service").asText()).isEqualTo("gateway");
		assertThat(body.path("metadata").path("side").asText()).isEqualTo("server");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "Accept|text/event-stream",
			"Accept|application/json, Application/X-NDJSON;q=0.9", "Upgrade|websocket" })
	void streamGetsNoDefaultBudget(String name, String value) {
		this.environment.setProperty("grpc.resilience.edge.default-budget", "5s");
		assertThat(find((header) -> header.equals(name) ? value : null)).isNull();
		assertThat(find((header) -> header.equals(name) ? value : header.equals("grpc-timeout") ? "90S" : null))
			.isEqualTo(Duration.ofSeconds(90));
	}

	@Test
	void upgradeToHttp2IsNoStream() {
		this.environment.setProperty("grpc.resilience.edge.default-budget", "5s");
		assertThat(find(Map.of("Upgrade", "h2c")::get)).isEqualTo(Duration.ofSeconds(5));
	}

	private JsonNode refusal(String name, String value) {
		try {
			budgets().find((header) -> header.equals(name) ? value : null);
		}
		catch (GrpcError ex) {
			return json(answer(ex));
		}
		throw new AssertionError("accepted " + value);
	}

	private EdgeBudgets budgets() {
		return new EdgeBudgets(edge(), "gateway", true);
	}

	private EdgeAnswer answer(Throwable failure) {
		Edge edge = edge();
		return EdgeAnswer.of(new EdgeErrors(edge).of(GrpcErrors.from(failure)), edge.format(), "/a/b");
	}

	private Edge edge() {
		BoundProperties bound = PropertiesBinder.bind(this.environment);
		assertThat(bound.faults()).isEmpty();
		assertThat(EdgeFaults.of(bound)).isEmpty();
		return bound.properties().edge();
	}

	private static JsonNode json(EdgeAnswer answer) {
		ObjectMapper mapper = Jackson2ObjectMapperBuilder.json().build();
		return mapper.valueToTree(answer.body());
	}

	private static StatusRuntimeException failure(Status.Code code, String message, Message... details) {
		com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder()
			.setCode(code.value())
			.setMessage(message);
		for (Message detail : details) {
			status.addDetails(Any.pack(detail));
		}
		return StatusProto.toStatusRuntimeException(status.build());
	}

	@ResponseStatus(HttpStatus.I_AM_A_TEAPOT)
	private static final class Teapot extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private Teapot(Throwable cause) {
			super(cause);
		}

	}

}
