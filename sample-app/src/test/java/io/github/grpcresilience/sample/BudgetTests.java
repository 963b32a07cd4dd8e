package io.github.grpcresilience.sample;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.sample.RunningShop.Answer;

import static org.assertj.core.api.Assertions.assertThat;

class BudgetTests {

	private final RunningShop shop = RunningShop.get();

	@Test
	void shrinksFromHopToHop() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?orders=23ms", "grpc-timeout", "500m");
		assertThat(answer.status()).isEqualTo(200);
		long gateway = answer.hop(0).path("budgetMs").asLong();
		long orders = answer.hop(1).path("budgetMs").asLong();
		long inventory = answer.hop(2).path("budgetMs").asLong();
		assertThat(gateway).isBetween(1L, 500L);
		// Each client keeps 5 % of what is left, at least 10 ms, to answer in time
		// itself.
		assertThat(orders).isBetween(1L, gateway - 10);
		assertThat(inventory).isBetween(1L, orders - 23 - 10);
	}

	@Test
	void namesTheHopThatSpentTheBudget() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?budget=20s&query=1500ms");
		assertThat(answer.status()).isEqualTo(504);
		assertThat(answer.text("code")).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(answer.text("reason")).isEqualTo("DEADLINE_EXCEEDED");
		assertThat(answer.body().path("metadata").path("spent_by_service").asText()).isEqualTo("inventory");
		assertThat(answer.text("hop")).isEqualTo("inventory");
		assertThat(answer.body().has("detail")).isFalse();
	}

	@ParameterizedTest
	@ValueSource(strings = { "0m", "0S" })
	void makesNoCallWithoutBudget(String timeout) throws Exception {
		Answer answer = this.shop.checkout("SKU-1", "grpc-timeout", timeout);
		assertThat(answer.status()).isEqualTo(504);
		assertThat(answer.text("reason")).isEqualTo("BUDGET_EXHAUSTED");
		assertThat(answer.body().path("metadata").path("service").asText()).isEqualTo("gateway");
	}

}
