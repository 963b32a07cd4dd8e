package io.github.grpcresilience.internal.status;

import java.nio.charset.StandardCharsets;

/**
 * Sizes of texts as they are sent.
 */
final class Utf8 {

	private Utf8() {
	}

	static int size(String text) {
		return text.getBytes(StandardCharsets.UTF_8).length;
	}

	/**
	 * The beginning of a text, whole characters only.
	 */
	static String cut(String text, int maxBytes) {
		if (text.length() <= maxBytes / 3) {
			return text;
		}
		int bytes = 0;
		int end = 0;
		while (end < text.length()) {
			int character = text.codePointAt(end);
			bytes += (character < 0x80) ? 1 : (character < 0x800) ? 2 : (character < 0x10000) ? 3 : 4;
			if (bytes > maxBytes) {
				return text.substring(0, end);
			}
			end += Character.charCount(character);
		}
		return text;
	}

}
