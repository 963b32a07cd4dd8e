package io.github.grpcresilience.autoconfigure;

import build.buf.protovalidate.ValidationResult;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.exceptions.ExecutionException;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.error.protovalidate.ProtovalidateCheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class RequestCheckAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(RequestCheckAutoConfiguration.class));

	@Test
	void protovalidateChecksWhereItIsThere() {
		this.runner.run((context) -> assertThat(context).hasSingleBean(ProtovalidateCheck.class));
		this.runner.withClassLoader(new FilteredClassLoader("build.buf.protovalidate"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(RequestCheck.class));
	}

	@Test
	void nothingIsThereWhenDisabled() {
		this.runner.withPropertyValues("grpc.resilience.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(RequestCheck.class));
	}

	@Test
	void requestsAreNotCheckedWhenSwitchedOff() {
		this.runner.withPropertyValues("grpc.resilience.errors.validate-requests=false")
			.run((context) -> assertThat(context).doesNotHaveBean(RequestCheck.class));
	}

	@Test
	void usersValidatorIsUsed() {
		this.runner.withBean(Validator.class, Refusing::new)
			.run((context) -> assertThatIllegalStateException()
				.isThrownBy(() -> context.getBean(RequestCheck.class).check(Empty.getDefaultInstance()))
				.withRootCauseInstanceOf(ExecutionException.class));
	}

	@Test
	void usersCheckReplacesOurs() {
		ProtovalidateCheck own = new ProtovalidateCheck(new Refusing());
		this.runner.withBean("own", ProtovalidateCheck.class, () -> own)
			.run((context) -> assertThat(context).getBean(RequestCheck.class).isSameAs(own));
	}

	@Test
	void usersCheckOfAnotherKindReplacesOurs() {
		RequestCheck own = (request) -> null;
		this.runner.withBean("own", RequestCheck.class, () -> own)
			.run((context) -> assertThat(context).hasNotFailed().getBean(RequestCheck.class).isSameAs(own));
	}

	private static final class Refusing implements Validator {

		@Override
		public ValidationResult validate(Message message) throws ExecutionException {
			throw new ExecutionException("refused");
		}

	}

}
