package io.github.grpcresilience.error;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

/**
 * Texts for users, in their languages. Safe for concurrent use.
 */
@FunctionalInterface
public interface ErrorTexts {

	/**
	 * Looks a text up.
	 * @param key key of the text
	 * @param arguments what it mentions
	 * @param locale language of the user
	 * @return the text; {@code null} if there is none
	 */
	@Nullable String find(String key, Object[] arguments, Locale locale);

}
