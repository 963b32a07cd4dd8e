package io.github.grpcresilience.error.validation;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import io.grpc.Status;
import jakarta.validation.Constraint;
import jakarta.validation.ConstraintValidator;
import jakarta.validation.ConstraintValidatorContext;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.ConstraintViolationException;
import jakarta.validation.Payload;
import jakarta.validation.Valid;
import jakarta.validation.Validation;
import jakarta.validation.ValidationException;
import jakarta.validation.ValidatorFactory;
import jakarta.validation.constraints.Email;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

import io.github.grpcresilience.error.GrpcError;
import io.github.grpcresilience.internal.error.Answers;

import static org.assertj.core.api.Assertions.assertThat;

class ValidationErrorsTests {

	private static final ValidatorFactory FACTORY = Validation.buildDefaultValidatorFactory();

	private final ValidationErrors errors = new ValidationErrors();

	@AfterAll
	static void close() {
		FACTORY.close();
	}

	@Test
	void fieldsOfABeanAreNamedAsWritten() {
		Order order = new Order(" ", List.of(new Item(3), new Item(-1051)), Map.of("color", "far too long"),
				Map.of("eu", new Item(-7)), Set.of(new Item(-9)), Optional.of(""),
				List.of(List.of("n"), List.of("n", "")), 1, 2);
		GrpcError error = map(FACTORY.getValidator().validate(order));
		assertThat(error.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(error.reason()).isEqualTo("REQUEST_INVALID");
		assertThat(Answers.violations(error)).containsExactly("any[].quantity: must be positive, please [MIN]",
				"items[1].quantity: must be positive, please [MIN]",
				"labels[color]: size must be between 0 and 5 [SIZE]",
				"lots[eu].quantity: must be positive, please [MIN]", "names[1][1]: must not be blank [NOT_BLANK]",
				"note: must not be blank [NOT_BLANK]", "sku: must not be blank [NOT_BLANK]");
		assertThat(Answers.text(error)).doesNotContain("1051", "far too long", "Order", "jakarta");
	}

	@Test
	void methodAndParameterAreNoPartOfThePath() throws NoSuchMethodException {
		Order order = new Order("SKU-7", List.of(new Item(0)), Map.of(), Map.of(), Set.of(), Optional.of("x"),
				List.of(), 1, 2);
		GrpcError error = map(validateCheckout(order, "secret.example", List.of(new Item(7), new Item(0))));
		assertThat(Answers.violations(error)).containsExactly("email: must be a well-formed email address [EMAIL]",
				"items[0].quantity: must be positive, please [MIN]",
				"more[1].quantity: must be positive, please [MIN]");
		assertThat(Answers.text(error)).doesNotContain("secret", "checkout");
	}

	@Test
	void constraintsOnTheWholeRequestNameItAsTheMethodDoes() throws NoSuchMethodException {
		Order order = new Order("SKU-7", List.of(), Map.of(), Map.of(), Set.of(), Optional.of("x"), List.of(), 2, 1);
		assertThat(Answers.violations(map(validateCheckout(order, null, List.of()))))
			.containsExactly("request: must be ordered [ORDERED]");
		assertThat(Answers.violations(map(FACTORY.getValidator().validate(order))))
			.containsExactly(": must be ordered [ORDERED]");
	}

	@Test
	void returnValuesAreNoFaultOfTheCaller() throws NoSuchMethodException {
		Set<ConstraintViolation<Shop>> violations = FACTORY.getValidator()
			.forExecutables()
			.validateReturnValue(new Shop(),
					Shop.class.getDeclaredMethod("checkout", Order.class, String.class, List.class), null);
		assertThat(violations).hasSize(1);
		assertThat(map(violations)).isNull();
	}

	@Test
	void violationsThatNobodyListsAreStillViolations() {
		GrpcError error = Answers.map(this.errors, new ConstraintViolationException("secret", null));
		assertThat(error.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(Answers.text(error)).doesNotContain("secret");
	}

	@Test
	void brokenConstraintsAreNotMapped() {
		assertThat(Answers.map(this.errors, new ValidationException("HV000028: Unexpected exception"))).isNull();
	}

	private static Set<ConstraintViolation<Shop>> validateCheckout(Order request, String email, List<Item> more)
			throws NoSuchMethodException {
		return FACTORY.getValidator()
			.forExecutables()
			.validateParameters(new Shop(),
					Shop.class.getDeclaredMethod("checkout", Order.class, String.class, List.class),
					new Object[] { request, email, more });
	}

	private GrpcError map(Set<? extends ConstraintViolation<?>> violations) {
		return Answers.map(this.errors, new ConstraintViolationException("checkout.secret", violations));
	}

	@Constraint(validatedBy = OrderedValidator.class)
	@Retention(RetentionPolicy.RUNTIME)
	@interface Ordered {

		String message() default "must be ordered";

		Class<?>[] groups() default {};

		Class<? extends Payload>[] payload() default {};

	}

	/** Refuses what ends before it begins. */
	public static final class OrderedValidator implements ConstraintValidator<Ordered, Order> {

		@Override
		public boolean isValid(Order order, ConstraintValidatorContext context) {
			return order.from() <= order.to();
		}

	}

	@Ordered
	record Order(@NotBlank String sku, @Valid List<Item> items, Map<String, @Size(max = 5) String> labels,
			Map<String, @Valid Item> lots, Set<@Valid Item> any, Optional<@NotBlank String> note,
			List<List<@NotBlank String>> names, int from, int to) {
	}

	record Item(@Min(value = 1, message = "must be positive, please") int quantity) {
	}

	static class Shop {

		@NotNull
		String checkout(@Valid Order request, @Email String email, List<@Valid Item> more) {
			return null;
		}

	}

}
