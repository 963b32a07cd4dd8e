package io.github.grpcresilience.test;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Headers;
import org.jspecify.annotations.Nullable;

/**
 * Headers of HTTP/2 as gRPC means them.
 */
final class Headers {

	private static final Pattern NAME = Pattern.compile("[0-9a-z_.-]+");

	private static final Pattern TIMEOUT = Pattern.compile("(\\d{1,8})([HMSmun])");

	private static final Map<String, ChronoUnit> UNITS = Map.of("H", ChronoUnit.HOURS, "M", ChronoUnit.MINUTES, "S",
			ChronoUnit.SECONDS, "m", ChronoUnit.MILLIS, "u", ChronoUnit.MICROS, "n", ChronoUnit.NANOS);

	private Headers() {
	}

	static Received received(Http2Headers headers, Connection connection) {
		CharSequence path = headers.path();
		CharSequence previous = headers.get("grpc-previous-rpc-attempts");
		return new Received((path != null) ? path.subSequence(1, path.length()).toString() : "", metadata(headers),
				connection.peer(), connection.number(), (previous != null) ? Integer.parseInt(previous.toString()) : 0,
				timeout(headers.get("grpc-timeout")));
	}

	private static @Nullable Duration timeout(@Nullable CharSequence text) {
		if (text == null) {
			return null;
		}
		Matcher matcher = TIMEOUT.matcher(text);
		ChronoUnit unit = matcher.matches() ? UNITS.get(matcher.group(2)) : null;
		return (unit != null) ? Duration.of(Long.parseLong(matcher.group(1)), unit) : null;
	}

	private static Metadata metadata(Http2Headers headers) {
		Metadata metadata = new Metadata();
		for (Map.Entry<CharSequence, CharSequence> header : headers) {
			String name = header.getKey().toString();
			String value = header.getValue().toString();
			if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
				for (String each : value.split(",", 0)) {
					metadata.put(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER),
							Base64.getDecoder().decode(each));
				}
			}
			else if (NAME.matcher(name).matches()) {
				metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
			}
		}
		return metadata;
	}

	static Http2Headers ofAnswer() {
		return new DefaultHttp2Headers().status("200").set("content-type", "application/grpc");
	}

	static Http2Headers ofPage(int status) {
		return new DefaultHttp2Headers().status(Integer.toString(status)).set("content-type", "text/html");
	}

	static Http2Headers trailers(Status status, Metadata trailers, boolean alone) {
		Http2Headers headers = alone ? ofAnswer() : new DefaultHttp2Headers();
		headers.set("grpc-status", Integer.toString(status.getCode().value()));
		String text = status.getDescription();
		if (text != null) {
			headers.set("grpc-message", percentEncoded(text));
		}
		for (String name : trailers.keys()) {
			if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
				Iterable<byte[]> values = trailers.getAll(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER));
				if (values != null) {
					values.forEach(
							(value) -> headers.add(name, Base64.getEncoder().withoutPadding().encodeToString(value)));
				}
			}
			else {
				Iterable<String> values = trailers.getAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
				if (values != null) {
					values.forEach((value) -> headers.add(name, value));
				}
			}
		}
		return headers;
	}

	private static String percentEncoded(String text) {
		StringBuilder encoded = new StringBuilder();
		for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
			if (each >= ' ' && each <= '~' && each != '%') {
				encoded.append((char) each);
			}
			else {
				encoded.append(String.format("%%%02X", each));
			}
		}
		return encoded.toString();
	}

}
