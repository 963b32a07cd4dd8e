package io.github.grpcresilience.internal.connection;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;

import io.github.grpcresilience.internal.policy.ConnectionSettings;
import io.github.grpcresilience.internal.policy.Setting;
import io.github.grpcresilience.internal.policy.SettingKey;

/**
 * What is set on the builders of servers and of channels, but for what somebody else has
 * set there. Immutable.
 */
public final class ConnectionOptions {

	private final Map<String, Setting<?>> settings;

	private final Predicate<String> leftToOthers;

	/**
	 * Takes what is wanted.
	 * @param settings the settings by their names
	 * @param leftToOthers whether somebody else has set what a setting of this name
	 * stands for
	 */
	public ConnectionOptions(Map<String, Setting<?>> settings, Predicate<String> leftToOthers) {
		this.settings = settings;
		this.leftToOthers = leftToOthers;
	}

	/**
	 * Sets what a server does with its connections.
	 * @param server the server to be; one that has no connections, being in this process,
	 * is left as it is
	 */
	public void applyTo(ServerBuilder<?> server) {
		set(ConnectionSettings.MAX_AGE, (age) -> {
			if (!age.isZero()) {
				server.maxConnectionAge(age.toNanos(), TimeUnit.NANOSECONDS);
				if (!isSet(ConnectionSettings.MAX_AGE_GRACE)) {
					// A framework's own idea of it would end streams.
					grace(server, Duration.ofNanos(Long.MAX_VALUE));
				}
			}
		});
		set(ConnectionSettings.MAX_AGE_GRACE, (grace) -> grace(server, grace));
		set(ConnectionSettings.SERVER_TIME, (time) -> server.keepAliveTime(orNever(time), TimeUnit.NANOSECONDS));
		set(ConnectionSettings.TIMEOUT, (timeout) -> server.keepAliveTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS));
		set(ConnectionSettings.PERMIT_TIME, (time) -> server.permitKeepAliveTime(time.toNanos(), TimeUnit.NANOSECONDS));
		set(ConnectionSettings.PERMIT_WITHOUT_CALLS, server::permitKeepAliveWithoutCalls);
	}

	private void grace(ServerBuilder<?> server, Duration grace) {
		if (!this.leftToOthers.test(ConnectionSettings.MAX_AGE_GRACE.name())) {
			server.maxConnectionAgeGrace(grace.toNanos(), TimeUnit.NANOSECONDS);
		}
	}

	/**
	 * Sets what a client does with its connections.
	 * @param channel the channel to be
	 */
	public void applyTo(ManagedChannelBuilder<?> channel) {
		set(ConnectionSettings.CONNECT_TIMEOUT, (timeout) -> ConnectTimeout.set(channel, timeout));
		set(ConnectionSettings.CLIENT_TIME, (time) -> channel.keepAliveTime(orNever(time), TimeUnit.NANOSECONDS));
		set(ConnectionSettings.TIMEOUT, (timeout) -> channel.keepAliveTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS));
		set(ConnectionSettings.WITHOUT_CALLS, channel::keepAliveWithoutCalls);
	}

	private boolean isSet(SettingKey<?> key) {
		return this.settings.containsKey(key.name());
	}

	private <T> void set(SettingKey<T> key, Consumer<T> option) {
		Setting<?> setting = this.settings.get(key.name());
		if (setting == null || this.leftToOthers.test(key.name())) {
			return;
		}
		try {
			option.accept(key.cast(setting));
		}
		catch (UnsupportedOperationException ex) {
			// A server or channel within the process has no connections.
		}
	}

	private static long orNever(Duration time) {
		return time.isZero() ? Long.MAX_VALUE : time.toNanos();
	}

}
