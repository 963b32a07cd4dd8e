package io.github.grpcresilience.sample;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.sample.RunningShop.Answer;

import static org.assertj.core.api.Assertions.assertThat;

class CheckoutTests {

	private final RunningShop shop = RunningShop.get();

	@ParameterizedTest
	@ValueSource(strings = { "sequential", "parallel" })
	void listsHopsInCallOrder(String fanout) throws Exception {
		Answer answer = this.shop.checkout("SKU-1?quantity=7&fanout=" + fanout);
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.text("sku")).isEqualTo("SKU-1");
		assertThat(answer.body().path("quantity").asInt()).isEqualTo(7);
		assertThat(answer.body().path("hops").findValuesAsText("service")).containsExactly("gateway", "orders",
				"inventory");
		assertThat(answer.body().path("hops").findValuesAsText("attempts")).containsExactly("1", "1", "0");
		assertThat(answer.body().path("hops").findValuesAsText("instance")).isEmpty();
	}

	@Test
	void worksWhereAskedTo() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?orders=31ms&inventory=37ms&query=53ms");
		assertThat(answer.hop(2).path("elapsedMs").asLong()).isGreaterThanOrEqualTo(37 + 53);
		assertThat(answer.hop(1).path("elapsedMs").asLong()).isGreaterThanOrEqualTo(31 + 37 + 53);
	}

	@Test
	void answersUnknownArticleWithNotFound() throws Exception {
		assertProblem(this.shop.checkout("SKU-7"), 404, "NOT_FOUND", "SKU_UNKNOWN");
	}

	@ParameterizedTest
	@ValueSource(strings = { "sequential", "parallel" })
	void answersArticleOutOfStockWithBadRequest(String fanout) throws Exception {
		assertProblem(this.shop.checkout("SKU-OUT?fanout=" + fanout), 400, "FAILED_PRECONDITION", "OUT_OF_STOCK");
	}

	@ParameterizedTest
	@ValueSource(ints = { -1, 0, 101 })
	void answersInvalidQuantityWithBadRequest(int quantity) throws Exception {
		Answer answer = this.shop.checkout("SKU-1?quantity=" + quantity);
		assertProblem(answer, 400, "INVALID_ARGUMENT", "QUANTITY_INVALID");
		assertThat(answer.text("detail")).contains("1 to 100");
	}

	@Test
	void saysWhatGrpcTimeoutIsExpected() throws Exception {
		Answer answer = this.shop.checkout("SKU-1", "grpc-timeout", "5x");
		assertThat(answer.status()).isEqualTo(400);
		assertThat(answer.contentType()).isEqualTo("application/problem+json");
		assertThat(answer.text("detail")).contains("1 to 8 digits");
	}

	@ParameterizedTest
	@ValueSource(strings = { "orders=x", "query=11m", "fail=orders:UNAVAILABLE:1", "fail=inventory:OK:1",
			"fail=inventory:BROKEN:1", "slow=inventory:2:1s", "slow=orders:0.1:1s", "slow=inventory:0.1:x",
			"fanout=both", "quantity=many" })
	void saysWhatParameterIsExpected(String parameter) throws Exception {
		Answer answer = this.shop.checkout("SKU-1?" + parameter);
		assertThat(answer.status()).isEqualTo(400);
		assertThat(answer.contentType()).isEqualTo("application/problem+json");
		assertThat(answer.text("detail")).startsWith(parameter.substring(0, parameter.indexOf('=')) + " must be");
	}

	@ParameterizedTest
	@ValueSource(strings = { "soon", "-7ms", "11m", "" })
	void saysThatTheBudgetIsMalformed(String budget) throws Exception {
		Answer answer = this.shop.checkout("SKU-1?budget=" + budget);
		assertProblem(answer, 400, "INVALID_ARGUMENT", "");
		assertThat(answer.body().path("errors").path(0).path("field").asText()).isEqualTo("X-Budget-Ms");
	}

	@Test
	void failsAsAskedToWithoutServerText() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?fail=inventory:UNAVAILABLE:99");
		assertThat(answer.status()).isEqualTo(503);
		assertThat(answer.text("code")).isEqualTo("UNAVAILABLE");
		assertThat(answer.body().has("detail")).isFalse();
	}

	@ParameterizedTest
	@CsvSource({ "1, sequential, 2", "2, sequential, 3", "2, parallel, 3" })
	void survivesFailuresOfTheRead(int failures, String fanout, String attempts) throws Exception {
		Answer answer = this.shop.checkout("SKU-1?fail=inventory:UNAVAILABLE:" + failures + "&fanout=" + fanout);
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.body().path("hops").findValuesAsText("attempts")).containsExactly("1", attempts, "0");
	}

	@Test
	void hedgesWhereTheReadIsSlow() throws Exception {
		int hedged = 0;
		for (int i = 0; i < 40; i++) {
			Answer answer = this.shop.checkout("SKU-1?budget=10s&slow=inventory:0.1:800ms");
			assertThat(answer.status()).isEqualTo(200);
			hedged += answer.hop(1).path("attempts").asInt() - 1;
		}
		assertThat(hedged).isPositive();
	}

	@Test
	void stormSaysWhatBecameOfEachCheckout() throws Exception {
		Answer answer = this.shop.get("gateway.http", "/storm?rate=70&seconds=1&query=1ms");
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.body().path("sent").asInt()).isEqualTo(70);
		int failed = 0;
		for (com.fasterxml.jackson.databind.JsonNode count : answer.body().path("failures")) {
			failed += count.asInt();
		}
		assertThat(answer.body().path("served").asInt() + failed).isEqualTo(70);
		assertThat(answer.body().path("goodputPerSecond").asDouble()).isPositive();
	}

	@Test
	void breakerOfResilience4jIsShownByItsOwnEndpoint() throws Exception {
		this.shop.checkout("SKU-1");
		Answer answer = this.shop.get("orders.http", "/actuator/circuitbreakers");
		assertThat(answer.body().path("circuitBreakers").path("inventory").path("state").asText()).isEqualTo("CLOSED");
		assertThat(answer.body().path("circuitBreakers").path("inventory").path("bufferedCalls").asInt()).isPositive();
	}

	@ParameterizedTest
	@ValueSource(strings = { "rate=0", "rate=many", "rate=5001", "seconds=61" })
	void stormHasBounds(String parameter) throws Exception {
		Answer answer = this.shop.get("gateway.http", "/storm?" + parameter);
		assertThat(answer.status()).isEqualTo(400);
		assertThat(answer.text("detail")).contains("must be a whole number from 1 to");
	}

	@Test
	void saysWhichFieldIsWrong() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?quantity=0");
		assertProblem(answer, 400, "INVALID_ARGUMENT", "QUANTITY_INVALID");
		assertThat(answer.text("domain")).isEqualTo("shop");
		assertThat(answer.body().path("errors")).hasSize(1);
		assertThat(answer.body().path("errors").path(0).path("field").asText()).isEqualTo("quantity");
		assertThat(answer.body().path("errors").path(0).path("description").asText()).isEqualTo("must be 1 to 100");
	}

	@Test
	void saysWhichArticleIsMeant() throws Exception {
		Answer answer = this.shop.checkout("SKU-7");
		assertThat(answer.body().path("metadata").path("sku").asText()).isEqualTo("SKU-7");
		assertThat(answer.text("detail")).isEqualTo("There is no article SKU-7.");
	}

	@Test
	void saysWhenToComeAgain() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?fail=inventory:RESOURCE_EXHAUSTED:99");
		assertProblem(answer, 429, "RESOURCE_EXHAUSTED", "SIMULATED");
		assertThat(answer.header("Retry-After")).isEqualTo("2");
	}

	/** Whom inventory takes orders for is nothing that the user could mend. */
	@ParameterizedTest
	@ValueSource(strings = { "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED" })
	void keepsTheShopsOwnTroubleToItself(String code) throws Exception {
		Answer answer = this.shop.checkout("SKU-1?fail=inventory:" + code + ":99");
		assertProblem(answer, 500, "INTERNAL", "INTERNAL");
		assertThat(answer.body().has("detail")).isFalse();
		assertThat(answer.text("requestId")).hasSize(32);
	}

	@Test
	void prefersGrpcTimeoutToOtherBudgets() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?budget=29s", "grpc-timeout", "7S", "X-Envoy-Expected-Rq-Timeout-Ms",
				"17000");
		assertThat(answer.hop(0).path("budgetMs").asLong()).isBetween(6_000L, 7_000L);
	}

	@Test
	void capsBudget() throws Exception {
		Answer answer = this.shop.checkout("SKU-1", "X-Envoy-Expected-Rq-Timeout-Ms", "172800000");
		assertThat(answer.hop(0).path("budgetMs").asLong()).isBetween(86_300_000L, 86_400_000L);
	}

	private static void assertProblem(Answer answer, int status, String code, String reason) {
		assertThat(answer.status()).isEqualTo(status);
		assertThat(answer.contentType()).isEqualTo("application/problem+json");
		assertThat(answer.body().path("status").asInt()).isEqualTo(status);
		assertThat(answer.text("code")).isEqualTo(code);
		assertThat(answer.text("reason")).isEqualTo(reason);
	}

}
