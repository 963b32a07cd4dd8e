package io.github.grpcresilience.sample.gateway;

import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationStyle;
import shop.v1.CheckoutRequest;
import shop.v1.Failure;
import shop.v1.Fanout;
import shop.v1.Simulation;
import shop.v1.Slowness;

/**
 * The query parameters of a checkout: the quantity, and what the hops shall do wrong.
 */
record CheckoutParameters(Map<String, String> values) {

	private static final Duration MAX_DURATION = Duration.ofMinutes(10);

	private static final Pattern SLOW = Pattern.compile("(inventory):(0(?:\\.[0-9]{1,6})?|1):(\\w+)");

	private static final Pattern FAIL = Pattern.compile("(inventory):([A-Z_]+):([0-9]{1,3})");

	/**
	 * Reads the parameters.
	 * @throws MalformedRequestException if one of them is malformed
	 */
	CheckoutRequest toRequest(String sku) {
		Simulation.Builder wishes = Simulation.newBuilder()
			.setRequestId(UUID.randomUUID().toString())
			.setOrdersMs(millis("orders"))
			.setInventoryMs(millis("inventory"))
			.setQueryMs(millis("query"))
			.setPricingMs(millis("pricing"))
			.setShippingMs(millis("shipping"))
			.setFanout(fanout());
		String fail = this.values.get("fail");
		if (fail != null) {
			wishes.setFailure(failure(fail));
		}
		String slow = this.values.get("slow");
		if (slow != null) {
			wishes.setSlowness(slowness(slow));
		}
		return CheckoutRequest.newBuilder().setSku(sku).setQuantity(quantity()).setSimulation(wishes).build();
	}

	private int quantity() {
		try {
			return Integer.parseInt(this.values.getOrDefault("quantity", "1"));
		}
		catch (NumberFormatException ex) {
			throw new MalformedRequestException("quantity must be a whole number");
		}
	}

	private long millis(String name) {
		String value = this.values.get(name);
		return (value != null) ? duration(name, value).toMillis() : 0;
	}

	private Fanout fanout() {
		return switch (this.values.getOrDefault("fanout", "sequential")) {
			case "sequential" -> Fanout.FANOUT_SEQUENTIAL;
			case "parallel" -> Fanout.FANOUT_PARALLEL;
			default -> throw new MalformedRequestException("fanout must be sequential or parallel");
		};
	}

	private static Failure failure(String value) {
		Matcher matcher = FAIL.matcher(value);
		Status.@Nullable Code code = matcher.matches() ? findCode(matcher.group(2)) : null;
		if (code == null || code == Status.Code.OK) {
			throw new MalformedRequestException(
					"fail must be inventory, a gRPC status code and a number of attempts, such as inventory:UNAVAILABLE:2");
		}
		return Failure.newBuilder()
			.setService(matcher.group(1))
			.setCode(code.name())
			.setAttempts(Integer.parseInt(matcher.group(3)))
			.build();
	}

	private static Slowness slowness(String value) {
		Matcher matcher = SLOW.matcher(value);
		if (!matcher.matches()) {
			throw new MalformedRequestException(
					"slow must be inventory, a share of its calls from 0 to 1 and a duration, such as inventory:0.1:800ms");
		}
		return Slowness.newBuilder()
			.setService(matcher.group(1))
			.setShare(Double.parseDouble(matcher.group(2)))
			.setMillis(duration("slow", matcher.group(3)).toMillis())
			.build();
	}

	private static Status.@Nullable Code findCode(String name) {
		try {
			return Status.Code.valueOf(name);
		}
		catch (IllegalArgumentException ex) {
			return null; // the caller says what is expected
		}
	}

	/**
	 * Reads one duration, which may be zero.
	 */
	static Duration duration(String name, String value) {
		try {
			Duration duration = DurationStyle.detectAndParse(value);
			if (!duration.isNegative() && duration.compareTo(MAX_DURATION) <= 0) {
				return duration;
			}
		}
		catch (IllegalArgumentException ex) {
			// malformed and out of range get the same answer below
		}
		throw new MalformedRequestException(name + " must be a duration from 0 to 10m, such as 120ms or 2s");
	}

}
