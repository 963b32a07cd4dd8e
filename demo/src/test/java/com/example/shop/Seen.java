package com.example.shop;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * What somebody sees who looks at the application from outside, a line each. What differs
 * from one start to the next is blanked.
 */
class Seen {

	private static final Queue<ILoggingEvent> LOG = new ConcurrentLinkedQueue<>();

	private static final Set<String> FRAMING = Set.of(":status", "connection", "content-length", "content-type", "date",
			"transfer-encoding");

	private final Queue<SpanData> spans = new ConcurrentLinkedQueue<>();

	private final Queue<String> requests = new ConcurrentLinkedQueue<>();

	private final Set<String> lines = new TreeSet<>();

	void response(String request, HttpResponse<String> response) {
		String headers = response.headers()
			.map()
			.keySet()
			.stream()
			.filter((name) -> !FRAMING.contains(name))
			.collect(Collectors.joining(" "));
		this.requests.add(request + " = " + response.statusCode() + " "
				+ response.headers().firstValue("Content-Type").orElse("-") + " " + body(response.body()) + " "
				+ headers);
	}

	void noResponse(String request, IOException ex) {
		this.requests.add(request + " = " + ex.getClass().getName());
	}

	void answer(String request, String answer) {
		this.requests.add(request + " = " + answer);
	}

	SpanProcessor spans() {
		return new Spans(this.spans);
	}

	/**
	 * Looks at what has come together.
	 */
	void look(ConfigurableApplicationContext context) {
		int number = 0;
		for (String request : this.requests) {
			number++;
			this.lines.add("request %03d %s".formatted(number, blankLong(request)));
		}
		for (Meter meter : context.getBean(MeterRegistry.class).getMeters()) {
			String name = meter.getId().getName();
			// depends on the collector having run, and many buckets of one meter
			if (!name.startsWith("jvm.gc.") && !name.endsWith(".histogram")) {
				this.lines.add("meter " + name + " " + meter.getId().getType() + " "
						+ meter.getId()
							.getTags()
							.stream()
							.map((tag) -> tag.getKey() + "=" + blankEnd(blankLong(tag.getValue())))
							.sorted()
							.toList());
			}
		}
		Map<String, String> names = this.spans.stream()
			.collect(Collectors.toMap(SpanData::getSpanId, SpanData::getName, (one, other) -> one));
		for (SpanData span : this.spans) {
			Map<String, String> attributes = new TreeMap<>();
			span.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), blankLong(value.toString())));
			this.lines.add("span " + names.getOrDefault(span.getParentSpanId(), "-") + " > " + span.getName() + " "
					+ span.getKind() + " " + span.getStatus().getStatusCode() + " "
					+ blank(span.getStatus().getDescription()) + " " + attributes + " "
					+ span.getEvents().stream().map((event) -> event.getName()).sorted().toList());
		}
		for (ILoggingEvent event : LOG) {
			this.lines.add("log " + event.getLevel() + " " + event.getLoggerName() + " " + blank(event.getMessage())
					+ " " + ((event.getThrowableProxy() != null) ? event.getThrowableProxy().getClassName() : "-"));
		}
		for (String name : context.getBeanFactory().getBeanDefinitionNames()) {
			Class<?> type = context.getBeanFactory().getType(name, false);
			this.lines.add("bean " + name + " " + blankClass((type != null) ? type.getName() : "-"));
		}
	}

	void write(String file) throws IOException {
		Files.write(Path.of(file), this.lines);
	}

	/**
	 * What a body looks like: the keys of JSON, the beginning of everything else.
	 */
	private static String body(String body) {
		if (!body.startsWith("{")) {
			return blank(body.substring(0, Math.min(60, body.length())).replaceAll("\\s+", " "));
		}
		try {
			Set<String> keys = new TreeSet<>();
			addKeys("", new ObjectMapper().readTree(body), keys);
			return keys.toString();
		}
		catch (JsonProcessingException ex) {
			return "not JSON";
		}
	}

	private static void addKeys(String prefix, JsonNode node, Collection<String> keys) {
		node.properties().forEach((field) -> {
			keys.add(prefix + field.getKey());
			addKeys(prefix + field.getKey() + ".", field.getValue(), keys);
		});
		if (node.isArray()) {
			StreamSupport.stream(node.spliterator(), false).forEach((element) -> addKeys(prefix, element, keys));
		}
	}

	private static String blank(String text) {
		return blankLong(text).replaceAll("\\d+", "#").replaceAll("\\s*\\R\\s*", " / ");
	}

	private static String blankClass(String type) {
		return type.replaceAll("(\\$\\$Lambda|\\$Proxy).*", "$1");
	}

	/**
	 * The server's clock and the caller's cancel compete.
	 */
	private static String blankEnd(String status) {
		return status.replace("CANCELLED", "DEADLINE_EXCEEDED");
	}

	private static String blankLong(String text) {
		return text.replaceAll("[0-9a-f]{8,}(-[0-9a-f]{4,})*|0x[0-9a-f]+|(?<=@)[0-9a-f]+", "#")
			.replaceAll("\\d{4,}", "#");
	}

	/** The appender that logback-spring.xml names. */
	public static class Log extends AppenderBase<ILoggingEvent> {

		@Override
		protected void append(ILoggingEvent event) {
			LOG.add(event);
		}

	}

	private record Spans(Queue<SpanData> ended) implements SpanProcessor {

		@Override
		public void onStart(Context parent, ReadWriteSpan span) {
		}

		@Override
		public boolean isStartRequired() {
			return false;
		}

		@Override
		public void onEnd(ReadableSpan span) {
			this.ended.add(span.toSpanData());
		}

		@Override
		public boolean isEndRequired() {
			return true;
		}

	}

}
