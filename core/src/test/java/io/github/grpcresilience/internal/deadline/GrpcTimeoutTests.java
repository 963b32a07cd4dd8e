package io.github.grpcresilience.internal.deadline;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class GrpcTimeoutTests {

	@ParameterizedTest
	@CsvSource({ "7m, 7000000", "0S, 0", "99999999n, 99999999", "1050u, 1050000", "2M, 120000000000",
			"99999999H, 9223372036854775807", "00000001S, 1000000000" })
	void readsDigitsAndAUnit(String value, long nanos) {
		assertThat(GrpcTimeout.parseNanos(value)).isEqualTo(nanos);
	}

	@ParameterizedTest
	@CsvSource({ "999, 0", "1000, 10", "1510, 10", "9999, 10", "10000, 100", "10100, 100", "99999, 100", "102000, 1000",
			"1510000, 10000", "86400000, 100000" })
	void tellsByHowMuchItMayHaveBeenRoundedUp(long millis, long roundedMillis) {
		assertThat(GrpcTimeout.roundedUpByNanos(millis * 1_000_000)).isEqualTo(roundedMillis * 1_000_000);
	}

	@Test
	void longestIsNotRoundedBeyondWhatThereIs() {
		assertThat(GrpcTimeout.roundedUpByNanos(Long.MAX_VALUE)).isBetween(1L, Long.MAX_VALUE / 100);
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "", "m", "5", "500", "-5m", "5ms", "5 m", " 5m", "1.5S", "100000000S", "٣m", "5x", "5m,5m" })
	void refusesAnythingElse(String value) {
		assertThatIllegalArgumentException().isThrownBy(() -> GrpcTimeout.parseNanos(value))
			.withMessageContaining("grpc-timeout must be");
	}

}
