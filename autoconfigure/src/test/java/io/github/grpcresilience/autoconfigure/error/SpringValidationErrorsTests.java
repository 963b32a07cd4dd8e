package io.github.grpcresilience.autoconfigure.error;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.grpc.Status;
import jakarta.validation.Valid;
import jakarta.validation.Validation;
import jakarta.validation.ValidatorFactory;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.MutablePropertyValues;
import org.springframework.core.MethodParameter;
import org.springframework.validation.BindException;
import org.springframework.validation.BindingResult;
import org.springframework.validation.DataBinder;
import org.springframework.validation.beanvalidation.MethodValidationAdapter;
import org.springframework.validation.beanvalidation.SpringValidatorAdapter;
import org.springframework.validation.method.MethodValidationException;
import org.springframework.validation.method.MethodValidationResult;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.support.WebExchangeBindException;
import org.springframework.web.method.annotation.HandlerMethodValidationException;

import io.github.grpcresilience.autoconfigure.Answers;
import io.github.grpcresilience.error.BuiltInErrors;
import io.github.grpcresilience.error.GrpcError;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class SpringValidationErrorsTests {

	private static final ValidatorFactory FACTORY = Validation.buildDefaultValidatorFactory();

	private final SpringValidationErrors errors = new SpringValidationErrors();

	@AfterAll
	static void close() {
		FACTORY.close();
	}

	@Test
	void boundFieldsAreNamedAsWritten() {
		GrpcError error = map(this.errors, new BindException(result()));
		assertThat(Answers.violations(error)).containsExactlyInAnyOrder(
				"items[0].quantity: must be greater than or equal to 1 [MIN]",
				"items[1].quantity: has a value of another type [TYPE_MISMATCH]", "sku: must not be blank [NOT_BLANK]",
				": is odd [ODD]", ": is not valid [NAMELESS]");
	}

	@Test
	void sameWithTheExceptionsOfSpringWeb() throws NoSuchMethodException {
		MethodParameter parameter = new MethodParameter(checkout(), 0);
		List<String> expected = Answers.violations(map(this.errors, new BindException(result())));
		assertThat(Answers.violations(map(this.errors, new MethodArgumentNotValidException(parameter, result()))))
			.containsExactlyInAnyOrderElementsOf(expected);
		assertThat(Answers.violations(map(new SpringWebErrors(), new WebExchangeBindException(parameter, result()))))
			.containsExactlyInAnyOrderElementsOf(expected);
	}

	@Test
	void parametersOfMethodsAreNamedWhereFieldsAreNot() throws NoSuchMethodException {
		MethodValidationResult result = validated(order(" ", -1051), 0, List.of(item(3), item(-7)),
				Map.of("eu", item(-9)), Set.of(item(-11)));
		List<String> expected = List.of("any[].quantity: must be greater than or equal to 1 [MIN]",
				"count: must be greater than or equal to 5 [MIN]",
				"items[0].quantity: must be greater than or equal to 1 [MIN]",
				"lots[eu].quantity: must be greater than or equal to 1 [MIN]",
				"more[1].quantity: must be greater than or equal to 1 [MIN]", "sku: must not be blank [NOT_BLANK]");
		assertThat(Answers.violations(map(this.errors, new MethodValidationException(result))))
			.containsExactlyInAnyOrderElementsOf(expected);
		assertThat(Answers.violations(map(new SpringWebErrors(), new HandlerMethodValidationException(result))))
			.containsExactlyInAnyOrderElementsOf(expected);
	}

	@Test
	void resultsOfMethodsAreNoFaultOfTheCaller() throws NoSuchMethodException {
		MethodParameter type = new MethodParameter(checkout(), -1);
		MethodValidationResult result = new MethodValidationAdapter(FACTORY.getValidator())
			.validateReturnValue(new Shop(), checkout(), type, null, new Class<?>[0]);
		assertThat(result.hasErrors()).isTrue();
		assertThat(Answers.map(this.errors, new MethodValidationException(result))).isNull();
		assertThat(Answers.map(new SpringWebErrors(), new HandlerMethodValidationException(result))).isNull();
	}

	/**
	 * A form with a value of the wrong type, one out of range, and objections by hand.
	 */
	private static BindingResult result() {
		DataBinder binder = new DataBinder(new Order());
		binder.setValidator(new SpringValidatorAdapter(FACTORY.getValidator()));
		binder.bind(new MutablePropertyValues(
				Map.of("sku", " ", "items[0].quantity", "-1051", "items[1].quantity", "secret")));
		binder.validate();
		binder.getBindingResult().reject("odd", "is odd");
		binder.getBindingResult().reject("nameless");
		assertThat(catchThrowable(binder::close)).isInstanceOf(BindException.class);
		return binder.getBindingResult();
	}

	private static MethodValidationResult validated(Object... arguments) throws NoSuchMethodException {
		MethodValidationAdapter adapter = new MethodValidationAdapter(FACTORY.getValidator());
		return adapter.validateArguments(new Shop(), checkout(), null, arguments, new Class<?>[0]);
	}

	private static Method checkout() throws NoSuchMethodException {
		return Shop.class.getDeclaredMethod("checkout", Order.class, int.class, List.class, Map.class, Set.class);
	}

	private static GrpcError map(BuiltInErrors errors, Throwable thrown) {
		GrpcError error = Answers.map(errors, thrown);
		assertThat(error.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(error.reason()).isEqualTo("REQUEST_INVALID");
		assertThat(Answers.details(error)).containsExactly("ErrorInfo", "BadRequest");
		assertThat(Answers.text(error)).doesNotContain("1051", "secret", "java.", "org.", "Shop", "checkout");
		return error;
	}

	private static Order order(String sku, int quantity) {
		Order order = new Order();
		order.setSku(sku);
		order.setItems(List.of(item(quantity)));
		return order;
	}

	private static Item item(int quantity) {
		Item item = new Item();
		item.setQuantity(quantity);
		return item;
	}

	static class Shop {

		@NotNull
		String checkout(@Valid Order request, @Min(5) int count, List<@Valid Item> more, Map<String, @Valid Item> lots,
				Set<@Valid Item> any) {
			return null;
		}

	}

	/** With setters, as forms are bound. */
	public static class Order {

		@NotBlank
		private String sku;

		@Valid
		private List<Item> items = new ArrayList<>();

		public String getSku() {
			return this.sku;
		}

		public void setSku(String sku) {
			this.sku = sku;
		}

		public List<Item> getItems() {
			return this.items;
		}

		public void setItems(List<Item> items) {
			this.items = items;
		}

	}

	/** Part of an order. */
	public static class Item {

		@Min(1)
		private int quantity = 1;

		public int getQuantity() {
			return this.quantity;
		}

		public void setQuantity(int quantity) {
			this.quantity = quantity;
		}

	}

}
