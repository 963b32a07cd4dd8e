package io.github.grpcresilience.autoconfigure.error;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.reactive.function.client.WebClientResponseException;
import org.springframework.web.server.ResponseStatusException;

import io.github.grpcresilience.autoconfigure.Answers;
import io.github.grpcresilience.error.GrpcError;

import static org.assertj.core.api.Assertions.assertThat;

class SpringWebErrorsTests {

	private final SpringWebErrors errors = new SpringWebErrors();

	@ParameterizedTest
	@CsvSource({ "400, INVALID_ARGUMENT", "401, UNAUTHENTICATED", "403, PERMISSION_DENIED", "404, NOT_FOUND",
			"409, ABORTED", "412, FAILED_PRECONDITION", "418, FAILED_PRECONDITION", "429, RESOURCE_EXHAUSTED",
			"499, CANCELLED", "501, UNIMPLEMENTED", "503, UNAVAILABLE", "504, DEADLINE_EXCEEDED" })
	void httpStatusBecomesItsCode(int status, Status.Code code) {
		GrpcError error = Answers.map(this.errors, new ResponseStatusException(HttpStatusCode.valueOf(status)));
		assertThat(error.code()).isEqualTo(code);
		assertThat(error.reason()).isEqualTo(code.name());
	}

	@ParameterizedTest
	@ValueSource(ints = { 200, 302, 500, 502, 507, 599 })
	void whatSaysNothingToTheCallerIsNotMapped(int status) {
		assertThat(Answers.map(this.errors, new ResponseStatusException(HttpStatusCode.valueOf(status)))).isNull();
	}

	@Test
	void callersReadTheReasonOfTheirOwnFaults() {
		assertMessage(new ResponseStatusException(HttpStatus.NOT_FOUND, "no such article"), "no such article");
		assertMessage(
				new ErrorResponseException(HttpStatus.CONFLICT,
						ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, "sold meanwhile"), null),
				"sold meanwhile");
		assertMessage(new Annotated("secret"), "no such customer");
		assertMessage(new Inherited("secret"), "no such customer");
		assertMessage(new Composed("secret"), "Precondition Failed");
	}

	@Test
	void callersDoNotReadTheReasonOfOurs() {
		GrpcError error = Answers.map(this.errors,
				new ResponseStatusException(HttpStatus.SERVICE_UNAVAILABLE, "secret pool", new Annotated("secret")));
		assertThat(Answers.sent(error).message()).isEqualTo("Service Unavailable");
		assertThat(Answers.text(error)).doesNotContain("secret", "org.");
	}

	@Test
	void retryAfterIsKept() {
		ErrorResponseException thrown = new ErrorResponseException(HttpStatus.TOO_MANY_REQUESTS);
		thrown.getHeaders().set(HttpHeaders.RETRY_AFTER, "17");
		assertThat(Answers.sent(Answers.map(this.errors, thrown)).retryDelay()).contains(Duration.ofSeconds(17));
		thrown.getHeaders().set(HttpHeaders.RETRY_AFTER, "Wed, 21 Oct 2015 07:28:00 GMT");
		assertThat(Answers.sent(Answers.map(this.errors, thrown)).retryDelay()).isEmpty();
	}

	@Test
	void whatAnotherServerSaidIsNotMapped() {
		assertThat(Answers.map(this.errors, HttpClientErrorException.create(HttpStatus.NOT_FOUND, "secret",
				new HttpHeaders(), new byte[0], StandardCharsets.UTF_8)))
			.isNull();
		assertThat(Answers.map(this.errors, WebClientResponseException.create(HttpStatus.NOT_FOUND, "secret",
				new HttpHeaders(), new byte[0], StandardCharsets.UTF_8, null)))
			.isNull();
	}

	@Test
	void othersAreNotMapped() {
		assertThat(Answers.map(this.errors, new IllegalStateException("secret"))).isNull();
		assertThat(Answers.map(this.errors, new Broken())).isNull();
		assertThat(Answers.map(this.errors, new OutOfMemoryError())).isNull();
	}

	private void assertMessage(Throwable thrown, String message) {
		GrpcError error = Answers.map(this.errors, thrown);
		assertThat(Answers.sent(error).message()).isEqualTo(message);
		assertThat(Answers.text(error)).doesNotContain("secret", "org.");
	}

	@ResponseStatus(code = HttpStatus.NOT_FOUND, reason = "no such customer")
	static class Annotated extends RuntimeException {

		Annotated(String message) {
			super(message);
		}

	}

	static final class Inherited extends Annotated {

		Inherited(String message) {
			super(message);
		}

	}

	@Retention(RetentionPolicy.RUNTIME)
	@ResponseStatus(HttpStatus.PRECONDITION_FAILED)
	@interface OutOfDate {

	}

	@OutOfDate
	static final class Composed extends RuntimeException {

		Composed(String message) {
			super(message);
		}

	}

	@ResponseStatus(reason = "secret")
	static final class Broken extends RuntimeException {

	}

}
