package io.github.grpcresilience.error.protovalidate;

import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.CompilationException;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.error.protovalidate.checks.Broken;
import io.github.grpcresilience.error.protovalidate.checks.Item;
import io.github.grpcresilience.error.protovalidate.checks.Order;
import io.github.grpcresilience.error.protovalidate.checks.Plain;
import io.github.grpcresilience.internal.error.Answers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class ProtovalidateCheckTests {

	private static final Order VALID = Order.newBuilder()
		.setSku("SKU-7")
		.addItems(Item.newBuilder().setQuantity(3))
		.setCard("4711")
		.setTo(1)
		.build();

	private final ProtovalidateCheck check = new ProtovalidateCheck(ValidatorFactory.newBuilder().build());

	@Test
	void validRequestsPass() {
		assertThat(this.check.check(VALID)).isNull();
	}

	@Test
	void requestsWithoutRulesPass() {
		assertThat(this.check.check(Plain.newBuilder().addChildren(Plain.newBuilder().setText("x")).build())).isNull();
	}

	@Test
	void whatIsNoProtobufMessagePasses() {
		assertThat(this.check.check("{\"sku\": \"\"}")).isNull();
	}

	@Test
	void everyViolationHasThePathOfItsField() {
		Item wrong = Item.newBuilder().setQuantity(-1051).build();
		GrpcError error = this.check.check(VALID.toBuilder()
			.setSku("x")
			.addItems(Item.newBuilder().setQuantity(7).setCode("secret"))
			.putLabels("a\"b", "far too long")
			.putLots(-3, wrong)
			.putFlags(true, wrong)
			.clearPayment()
			.setFrom(2)
			.build());
		assertThat(error.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(error.reason()).isEqualTo("REQUEST_INVALID");
		assertThat(Answers.details(error)).containsExactly("ErrorInfo", "BadRequest");
		assertThat(Answers.violations(error)).containsExactlyInAnyOrder(
				": from must not be after to [ORDER_FROM_BEFORE_TO]",
				"payment: exactly one field is required in oneof [REQUIRED]",
				"sku: must be at least 3 characters [STRING_MIN_LEN]", "items[1].code: must start with C- [ITEM_CODE]",
				"labels[\"a\\\"b\"]: must be at most 7 characters [STRING_MAX_LEN]",
				"lots[-3].quantity: must be greater than 0 [INT32_GT]",
				"flags[true].quantity: must be greater than 0 [INT32_GT]");
		assertThat(Answers.text(error)).doesNotContain("1051", "far too long", "secret", "build.buf");
	}

	@Test
	void brokenRuleIsNoFaultOfTheCaller() {
		assertThatIllegalStateException().isThrownBy(() -> this.check.check(Broken.getDefaultInstance()))
			.withMessageContaining("checks.v1.Broken")
			.withCauseInstanceOf(CompilationException.class);
	}

	@Test
	void preparationFindsBrokenRulesAndMindsNoEmptyRequest() {
		this.check.prepare(Order.getDefaultInstance());
		this.check.prepare("no message");
		assertThatIllegalStateException().isThrownBy(() -> this.check.prepare(Broken.getDefaultInstance()));
	}

}
