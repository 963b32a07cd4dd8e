package io.github.grpcresilience.internal.error;

import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

import com.google.rpc.LocalizedMessage;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

import io.github.grpcresilience.error.ErrorTexts;

/**
 * Renders texts for users in the language that a caller asked for. Safe for concurrent
 * use.
 */
final class UserTexts {

	/** As HTTP has it (RFC 9110, 12.5.4). */
	private static final Metadata.Key<String> ACCEPT_LANGUAGE = Metadata.Key.of("accept-language",
			Metadata.ASCII_STRING_MARSHALLER);

	/** Longer than any browser's. */
	private static final int MAX_HEADER = 200;

	private final ErrorTexts texts;

	UserTexts(ErrorTexts texts) {
		this.texts = texts;
	}

	/**
	 * The text of an error.
	 * @return the text; {@code null} if there is none
	 */
	@Nullable LocalizedMessage find(String key, Object[] arguments, Metadata headers) {
		try {
			for (Locale locale : wanted(headers.get(ACCEPT_LANGUAGE))) {
				String text = this.texts.find(key, arguments, locale);
				if (text != null) {
					return LocalizedMessage.newBuilder().setLocale(locale.toLanguageTag()).setMessage(text).build();
				}
			}
		}
		catch (RuntimeException ex) {
			// A text that cannot be rendered must not cost the error its meaning.
		}
		return null;
	}

	/**
	 * Languages to try: what the caller asked for, best first, each with and without its
	 * country, and last the default.
	 */
	private static Set<Locale> wanted(@Nullable String header) {
		Set<Locale> wanted = new LinkedHashSet<>();
		if (header != null && header.length() <= MAX_HEADER) {
			try {
				for (Locale.LanguageRange range : Locale.LanguageRange.parse(header)) {
					if (!range.getRange().startsWith("*") && range.getWeight() > 0) {
						Locale locale = Locale.forLanguageTag(range.getRange());
						wanted.add(locale);
						wanted.add(Locale.forLanguageTag(locale.getLanguage()));
					}
				}
			}
			catch (IllegalArgumentException ex) {
				// Whoever asks in no known way gets the default language.
			}
		}
		wanted.add(Locale.getDefault());
		return wanted;
	}

}
