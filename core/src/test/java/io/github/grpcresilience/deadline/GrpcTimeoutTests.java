package io.github.grpcresilience.deadline;

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

	/** As Python, Ruby, PHP and C++ send them. */
	@ParameterizedTest
	@CsvSource({ "1010m, 10", "5010m, 10", "10100m, 100", "45600m, 100", "102S, 1020", "1510S, 15100", "9999m, 0",
			"550m, 0", "10023m, 0", "10S, 0", "9998123u, 0", "99999999n, 0" })
	void tellsByHowMuchItMayHaveBeenRoundedUp(String value, long millis) {
		assertThat(GrpcTimeout.roundedUpByNanos(value)).isEqualTo(millis * 1_000_000);
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "", "m", "5", "500", "-5m", "5ms", "5 m", " 5m", "1.5S", "100000000S", "٣m", "5x", "5m,5m" })
	void refusesAnythingElse(String value) {
		assertThatIllegalArgumentException().isThrownBy(() -> GrpcTimeout.parseNanos(value))
			.withMessageContaining("grpc-timeout must be");
	}

}
