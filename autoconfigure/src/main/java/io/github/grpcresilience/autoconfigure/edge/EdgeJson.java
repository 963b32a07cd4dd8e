package io.github.grpcresilience.autoconfigure.edge;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;

/**
 * Writes the JSON of answers (RFC 8259), which so is the same whatever the application's
 * own JSON looks like.
 */
final class EdgeJson {

	private EdgeJson() {
	}

	/**
	 * Writes an object.
	 * @param object texts, whole numbers, collections and maps of them
	 * @return UTF-8
	 */
	static byte[] bytes(Map<String, ?> object) {
		StringBuilder json = new StringBuilder(256);
		write(object, json);
		return json.toString().getBytes(StandardCharsets.UTF_8);
	}

	private static void write(Object value, StringBuilder json) {
		if (value instanceof Map<?, ?> map) {
			String separator = "{";
			for (Map.Entry<?, ?> entry : map.entrySet()) {
				json.append(separator);
				quote(String.valueOf(entry.getKey()), json);
				json.append(':');
				write(entry.getValue(), json);
				separator = ",";
			}
			json.append(map.isEmpty() ? "{}" : "}");
		}
		else if (value instanceof Collection<?> list) {
			String separator = "[";
			for (Object element : list) {
				json.append(separator);
				write(element, json);
				separator = ",";
			}
			json.append(list.isEmpty() ? "[]" : "]");
		}
		else if (value instanceof Integer number) {
			json.append(number);
		}
		else {
			quote(value.toString(), json);
		}
	}

	private static void quote(String text, StringBuilder json) {
		json.append('"');
		for (int i = 0; i < text.length(); i++) {
			char character = text.charAt(i);
			switch (character) {
				case '"', '\\' -> json.append('\\').append(character);
				case '\n' -> json.append("\\n");
				case '\r' -> json.append("\\r");
				case '\t' -> json.append("\\t");
				default -> {
					if (character < ' ' || isAlone(text, i)) {
						json.append("\\u%04x".formatted((int) character));
					}
					else {
						json.append(character);
					}
				}
			}
		}
		json.append('"');
	}

	/**
	 * Half a pair of surrogates has no form in UTF-8.
	 */
	private static boolean isAlone(String text, int index) {
		char character = text.charAt(index);
		if (Character.isHighSurrogate(character)) {
			return index + 1 == text.length() || !Character.isLowSurrogate(text.charAt(index + 1));
		}
		return Character.isLowSurrogate(character)
				&& (index == 0 || !Character.isHighSurrogate(text.charAt(index - 1)));
	}

}
