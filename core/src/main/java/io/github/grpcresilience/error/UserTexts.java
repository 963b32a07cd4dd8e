package io.github.grpcresilience.error;

import java.util.Locale;

import com.google.rpc.LocalizedMessage;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

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
	 * @return the text; {@code null} if the error asks for none or there is none
	 */
	@Nullable LocalizedMessage find(ErrorContent content, Metadata headers) {
		if (content.textKey == null) {
			return null;
		}
		Locale locale = locale(headers.get(ACCEPT_LANGUAGE));
		String text = this.texts.find(content.textKey, content.textArguments, locale);
		return (text != null) ? LocalizedMessage.newBuilder().setLocale(locale.toLanguageTag()).setMessage(text).build()
				: null;
	}

	private static Locale locale(@Nullable String header) {
		if (header == null || header.length() > MAX_HEADER) {
			return Locale.getDefault();
		}
		try {
			for (Locale.LanguageRange range : Locale.LanguageRange.parse(header)) {
				if (!range.getRange().startsWith("*") && range.getWeight() > 0) {
					return Locale.forLanguageTag(range.getRange());
				}
			}
		}
		catch (IllegalArgumentException ex) {
			// Whoever asks in no known way gets the default language.
		}
		return Locale.getDefault();
	}

}
