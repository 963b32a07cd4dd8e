package io.github.grpcresilience.error;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.github.grpcresilience.internal.error.Answers;

import static org.assertj.core.api.Assertions.assertThat;

class InvalidRequestTests {

	@ParameterizedTest
	@CsvSource({ "NotBlank, NOT_BLANK", "URL, URL", "string.min_len, STRING_MIN_LEN", "int32.gt, INT32_GT",
			"order.from-before-to, ORDER_FROM_BEFORE_TO", "typeMismatch, TYPE_MISMATCH",
			"'  sku..unknown! ', SKU_UNKNOWN", "straße, STRA_E" })
	void namesOfRulesAreSentAsReasons(String rule, String reason) {
		assertThat(reasonOf(rule)).isEqualTo(reason);
	}

	@ParameterizedTest
	@CsvSource({ "x", "''", "42.answers", "日本語", "_._" })
	void whatCannotBeAReasonIsNotSent(String rule) {
		assertThat(reasonOf(rule)).isEmpty();
	}

	@Test
	void reasonsHaveAtMost63Characters() {
		assertThat(reasonOf("a".repeat(62) + ".b")).isEqualTo("A".repeat(62));
	}

	@Test
	void violationsKeepTheirOrder() {
		GrpcError error = new InvalidRequest().violation("b[1].c", "is 7", null)
			.violation("", "is odd", "Odd")
			.toError();
		assertThat(error.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(error.reason()).isEqualTo("REQUEST_INVALID");
		assertThat(Answers.details(error)).containsExactly("ErrorInfo", "BadRequest");
		assertThat(Answers.violations(error)).containsExactly("b[1].c: is 7 []", ": is odd [ODD]");
	}

	@Test
	void thereIsNoDetailWithoutViolations() {
		assertThat(Answers.details(new InvalidRequest().toError())).containsExactly("ErrorInfo");
	}

	private static String reasonOf(String rule) {
		return Answers.sent(new InvalidRequest().violation("a", "b", rule).toError())
			.badRequest()
			.orElseThrow()
			.getFieldViolations(0)
			.getReason();
	}

}
