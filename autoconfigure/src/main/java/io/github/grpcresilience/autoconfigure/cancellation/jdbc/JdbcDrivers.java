package io.github.grpcresilience.autoconfigure.cancellation.jdbc;

import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;

/**
 * Finds the driver that a pool would use.
 */
final class JdbcDrivers {

	private JdbcDrivers() {
	}

	/**
	 * The driver for a URL.
	 * @param className class of the driver; {@code null} to ask those that are registered
	 * @throws SQLException if there is none
	 */
	static Driver find(@Nullable String className, @Nullable ClassLoader loader, String url) throws SQLException {
		if (className == null) {
			return DriverManager.getDriver(url);
		}
		try {
			Class<?> type = ClassUtils.forName(className,
					(loader != null) ? loader : ClassUtils.getDefaultClassLoader());
			return (Driver) type.getDeclaredConstructor().newInstance();
		}
		catch (ReflectiveOperationException | LinkageError ex) {
			throw new SQLException("cannot create the driver " + className, ex);
		}
	}

	/**
	 * Properties to connect with.
	 */
	static Properties properties(@Nullable Properties own, @Nullable String username, @Nullable String password) {
		Properties properties = new Properties();
		if (own != null) {
			properties.putAll(own);
		}
		if (username != null) {
			properties.setProperty("user", username);
		}
		if (password != null) {
			properties.setProperty("password", password);
		}
		return properties;
	}

}
