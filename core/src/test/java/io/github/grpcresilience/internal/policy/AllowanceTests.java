package io.github.grpcresilience.internal.policy;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class AllowanceTests {

	/** Reserve: 5 %, 10 to 100 ms, at most half. */
	private final Allowance reserve = new Allowance(0.05, 10_000_000, 100_000_000, 0.5);

	@ParameterizedTest
	@CsvSource({ "500000000, 25000000", "7000000, 3500000", "105000000, 10000000", "60000000000, 100000000", "1, 0",
			"0, 0", "-5, 0", "9223372036854775807, 100000000" })
	void staysBetweenItsBoundsAndBelowItsCeiling(long budget, long held) {
		assertThat(this.reserve.ofNanos(budget)).isEqualTo(held);
	}

	@Test
	void refusesValuesOutOfRange() {
		assertThatIllegalArgumentException().isThrownBy(() -> new Allowance(Double.NaN, 0, 1, 0.5));
		assertThatIllegalArgumentException().isThrownBy(() -> new Allowance(0.1, 2, 1, 0.5));
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, 0", "PT0.007S, 7ms", "PT1.05S, 1050ms", "PT90S, 90s", "PT2M, 2m", "PT48H, 48h", "PT-1S, -1s",
			"PT0.0000015S, 1500ns", "PT0.0015S, 1500us" })
	void durationsReadAsUsersWriteThem(Duration duration, String text) {
		assertThat(SettingText.of(duration)).isEqualTo(text);
	}

}
