package io.github.grpcresilience.autoconfigure.error;

import java.sql.SQLException;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.support.SQLStateSQLExceptionTranslator;
import org.springframework.util.ClassUtils;

import io.github.grpcresilience.internal.status.Causes;

/**
 * Tells a duplicate key from other broken constraints by what the driver said, as Spring
 * does for its JDBC templates.
 */
final class DuplicateKeys {

	private static final boolean SPRING_JDBC = ClassUtils.isPresent(
			"org.springframework.jdbc.support.SQLStateSQLExceptionTranslator", DuplicateKeys.class.getClassLoader());

	private DuplicateKeys() {
	}

	static boolean isCauseOf(Throwable thrown) {
		return SPRING_JDBC && Causes.of(thrown)
			.stream()
			.anyMatch((cause) -> cause instanceof SQLException said && Translator.isDuplicateKey(said));
	}

	/** Loaded only where Spring's JDBC support is. */
	private static final class Translator {

		private static final SQLStateSQLExceptionTranslator STATES = new SQLStateSQLExceptionTranslator();

		static boolean isDuplicateKey(SQLException thrown) {
			return STATES.translate("call", null, thrown) instanceof DuplicateKeyException;
		}

	}

}
