package io.github.grpcresilience.internal.cancel.http;

import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.github.grpcresilience.internal.policy.Allowance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class BudgetHeaderTests {

	private static final Allowance HALF = new Allowance(0.5, 0, Long.MAX_VALUE, 0.5);

	private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);

	@AfterEach
	void close() {
		this.timer.shutdownNow();
	}

	@Test
	void listHoldsNamesAndDomains() {
		BudgetHeader header = header("grpc-timeout", "Api.example.com", "*.Shop.internal", "10.1.2.3", "[::1]");
		assertThat(List.of("api.example.com", "API.EXAMPLE.COM", "a.shop.internal", "a.b.shop.internal", "10.1.2.3",
				"[::1]"))
			.allMatch(header::isFor);
		assertThat(List.of("example.com", "www.api.example.com", "shop.internal", "evilshop.internal",
				"a.shop.internal.evil.com", "110.1.2.3", ""))
			.noneMatch(header::isFor);
		assertThat(header.isFor(null)).isFalse();
	}

	@Test
	void emptyListTellsNobody() {
		assertThat(header("grpc-timeout").isFor("localhost")).isFalse();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "*", "*.", "http://a", "a:8080", "a/b", "a b", "-a", "a-", "a..b", ".a", "a.",
			"*.*.a", "a.*", "a,b", "[::1", "höst" })
	void malformedHostsAreRefused(String host) {
		assertThat(BudgetHeader.isHost(host)).isFalse();
		assertThatIllegalArgumentException().isThrownBy(() -> header("grpc-timeout", host)).withMessageContaining(host);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "a b", "a:", "a\r\nb", "Host", "content-length", "Connection", "höader" })
	void namesThatMayNotBeSetAreRefused(String name) {
		assertThat(BudgetHeader.isName(name)).isFalse();
		assertThatIllegalArgumentException().isThrownBy(() -> header(name, "a"));
	}

	@Test
	void unitIsTheFinestThatFitsIntoEightDigits() {
		assertThat(told("grpc-timeout", 300, TimeUnit.MILLISECONDS)).matches("[0-9]{5,6}u");
		assertThat(told("grpc-timeout", 200, TimeUnit.MICROSECONDS)).matches("|[0-9]{1,6}n");
		assertThat(told("grpc-timeout", 1050, TimeUnit.SECONDS)).matches("52[0-9]{4}m");
		assertThat(told("grpc-timeout", 300, TimeUnit.DAYS)).matches("[0-9]{8}S");
	}

	@Test
	void envoyIsToldMilliseconds() {
		assertThat(Long.parseLong(told("X-Envoy-Expected-Rq-Timeout-MS", 10, TimeUnit.SECONDS))).isBetween(2_000L,
				5_000L);
		assertThat(told("x-envoy-expected-rq-timeout-ms", 1_500, TimeUnit.MICROSECONDS)).matches("|1");
	}

	@Test
	void nothingIsToldWithoutADeadlineOrAfterTheEnd() {
		BudgetHeader header = header("grpc-timeout", "a");
		assertThat(header.findValue(Long.MAX_VALUE, "a")).isEmpty();
		assertThat(header.findValue(TimeUnit.SECONDS.toNanos(20), "a")).isPresent();
		assertThat(header.findValue(0, "a")).isEmpty();
		assertThat(header.findValue(-7, "a")).isEmpty();
	}

	private String told(String name, long amount, TimeUnit unit) {
		return header(name, "a").findValue(unit.toNanos(amount), "a").orElse("");
	}

	private static BudgetHeader header(String name, String... hosts) {
		return new BudgetHeader(name, List.of(hosts), HALF);
	}

}
