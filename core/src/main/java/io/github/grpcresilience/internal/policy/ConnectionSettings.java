package io.github.grpcresilience.internal.policy;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * How connections are kept, of a side or of one client; methods have no part in it.
 */
public final class ConnectionSettings extends FeatureSettings {

	private static final String REMEDY = "write a duration such as 10s or 30m";

	/** How old a connection may get before its calls go to a new one. */
	public static final SettingKey<Duration> MAX_AGE = new SettingKey<>("connection.max-age", Duration.class,
			SectionScope.ALL, (value) -> value.isZero() || value.compareTo(Duration.ofSeconds(1)) >= 0,
			"must be at least 1s, or 0 for connections of any age", REMEDY);

	/** How long calls and streams of a connection that is too old may go on. */
	public static final SettingKey<Duration> MAX_AGE_GRACE = positive("connection.max-age-grace");

	/** How long nothing may come from a client before it is asked whether it lives. */
	public static final SettingKey<Duration> SERVER_TIME = new SettingKey<>("connection.keepalive.time", Duration.class,
			SectionScope.ALL, (value) -> value.isZero() || value.compareTo(Duration.ofSeconds(1)) >= 0,
			"must be at least 1s, which gRPC makes of less without a word, or 0 for never", REMEDY);

	/** How long nothing may come from a server before it is asked whether it lives. */
	public static final SettingKey<Duration> CLIENT_TIME = new SettingKey<>("connection.keepalive.time", Duration.class,
			SectionScope.ALL, (value) -> value.isZero() || value.compareTo(Duration.ofSeconds(10)) >= 0,
			"must be at least 10s, which gRPC makes of less without a word, or 0 for never", REMEDY);

	/** How long a peer that was asked may take to answer. */
	public static final SettingKey<Duration> TIMEOUT = positive("connection.keepalive.timeout");

	/** How often clients may ask. */
	public static final SettingKey<Duration> PERMIT_TIME = new SettingKey<>("connection.keepalive.permit-time",
			Duration.class, SectionScope.ALL, (value) -> !value.isNegative(), "must not be negative", REMEDY);

	/** Whether clients may ask while they make no call. */
	public static final SettingKey<Boolean> PERMIT_WITHOUT_CALLS = SettingKey
		.toggle("connection.keepalive.permit-without-calls");

	/** Whether a client asks while it makes no call. */
	public static final SettingKey<Boolean> WITHOUT_CALLS = SettingKey.toggle("connection.keepalive.without-calls");

	/** How long a client tries one address. */
	public static final SettingKey<Duration> CONNECT_TIMEOUT = new SettingKey<>("connection.connect-timeout",
			Duration.class, SectionScope.ALL,
			(value) -> value.compareTo(Duration.ofMillis(1)) >= 0 && value.compareTo(Duration.ofHours(1)) <= 0,
			"must be between 1ms and 1h", REMEDY);

	/**
	 * Whether a backend is left alone that fails, or says nothing, while others do not.
	 */
	public static final SettingKey<Boolean> OUTLIER_DETECTION = SettingKey.toggle("connection.outlier-detection");

	/** Whether a client connects before its first call. */
	public static final SettingKey<Boolean> WARM_UP = SettingKey.toggle("connection.warm-up");

	private static final List<SettingKey<?>> OF_SERVER = List.of(MAX_AGE, MAX_AGE_GRACE, SERVER_TIME, TIMEOUT,
			PERMIT_TIME, PERMIT_WITHOUT_CALLS);

	private static final List<SettingKey<?>> OF_CLIENT = List.of(OUTLIER_DETECTION, CONNECT_TIMEOUT, CLIENT_TIME,
			TIMEOUT, WITHOUT_CALLS, WARM_UP);

	ConnectionSettings() {
	}

	private static SettingKey<Duration> positive(String name) {
		return new SettingKey<>(name, Duration.class, SectionScope.ALL,
				(value) -> !value.isZero() && !value.isNegative(), "must be positive", REMEDY);
	}

	/**
	 * Every setting of a side's connections.
	 * @param side the side
	 * @return the settings in the order in which they are shown
	 */
	public static List<SettingKey<?>> of(Side side) {
		return (side == Side.SERVER) ? OF_SERVER : OF_CLIENT;
	}

	@Override
	Stream<SettingKey<?>> keys(Side side) {
		return Stream.of();
	}

	@Override
	Stream<SettingKey<?>> keysOfSectionOnly(Side side) {
		return of(side).stream();
	}

	@Override
	void addBuiltIn(Side side, BuiltInValues ofSection, BuiltInValues ofPolicies) {
		if (side == Side.SERVER) {
			ofSection.put(MAX_AGE, Duration.ofMinutes(30));
		}
		else {
			ofSection.put(OUTLIER_DETECTION, true)
				.put(CONNECT_TIMEOUT, Duration.ofSeconds(5))
				.put(CLIENT_TIME, Duration.ofMinutes(6))
				.put(TIMEOUT, Duration.ofSeconds(10))
				.put(WITHOUT_CALLS, false)
				.put(WARM_UP, false);
		}
	}

}
