package io.github.grpcresilience.sample;

import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;

import io.github.grpcresilience.sample.RunningShop.Answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class CancellationTests {

	private final RunningShop shop = RunningShop.get();

	private int runningStatements() throws Exception {
		return this.shop.get("inventory.http", "/db/active").body().size();
	}

	@Test
	void statementEndsWithTheCheckout() throws Exception {
		CompletableFuture<Answer> checkout = CompletableFuture.supplyAsync(() -> slowCheckout("budget=1s&query=9m"));
		await().until(() -> runningStatements() == 1);
		assertThat(this.shop.get("inventory.http", "/db/active").body().path(0).path("statement").asText())
			.contains("spin_until");
		assertThat(checkout.join().status()).isEqualTo(504);
		await().until(() -> runningStatements() == 0);
	}

	@Test
	void poolIsFreeAfterMoreSlowCheckoutsThanItHasConnections() throws Exception {
		CompletableFuture<?>[] slow = new CompletableFuture<?>[6];
		for (int i = 0; i < slow.length; i++) {
			slow[i] = CompletableFuture.supplyAsync(() -> slowCheckout("budget=1s&query=9m"))
				.thenAccept((answer) -> assertThat(answer.status()).isEqualTo(504));
		}
		CompletableFuture.allOf(slow).join();
		assertThat(this.shop.checkout("SKU-1?budget=5s").status()).isEqualTo(200);
	}

	@Test
	void stepsOnTheExecutorAndOverHttpArePartOfTheCheckout() throws Exception {
		Answer answer = this.shop.checkout("SKU-1?quantity=3&pricing=11ms&shipping=13ms");
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.body().path("priceCents").asLong()).isEqualTo(3 * 14_900);
		assertThat(answer.body().path("shippingDays").asInt()).isEqualTo(2);
		assertThat(answer.hop(1).path("elapsedMs").asLong()).isGreaterThanOrEqualTo(11 + 13);
	}

	private Answer slowCheckout(String parameters) {
		try {
			return this.shop.checkout("SKU-1?" + parameters);
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
