package com.example.shop;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Iterator;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;

/**
 * Sends the shop every kind of request.
 */
class Caller {

	private static final String BOUNDARY = "boundary";

	private final HttpClient http = HttpClient.newHttpClient();

	private final String url;

	private final Channel channel;

	private final Seen seen;

	private String cookie = "";

	Caller(String url, Channel channel, Seen seen) {
		this.url = url;
		this.channel = channel;
		this.seen = seen;
	}

	void callAll() throws InterruptedException {
		callStubs();
		callPages();
		callAsPeopleDo();
		callActuator();
		callServices();
	}

	private void callStubs() throws InterruptedException {
		get("/slowly/book");
		get("/prices/book");
		for (Status.Code code : new Status.Code[] { Status.Code.NOT_FOUND, Status.Code.INVALID_ARGUMENT,
				Status.Code.UNAUTHENTICATED, Status.Code.UNAVAILABLE, Status.Code.INTERNAL }) {
			get("/prices/" + code);
		}
		get("/prices/thrown");
		get("/prices/IllegalState");
		get("/fallback/headers");
		get("/fallback/headers", "grpc-timeout", "10S");
		get("/fallback/headers", "grpc-timeout", "soon");
		for (String sku : new String[] { "NOT_FOUND", "UNAVAILABLE" }) {
			get("/prices/" + sku, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
			get("/prices/" + sku, "Accept", "image/png");
		}
		get("/within/book");
		get("/within/never");
		for (String path : new String[] { "/asked", "/listed", "/callable", "/future", "/task", "/caught", "/annotated",
				"/fallback", "/handled" }) {
			get(path + (path.equals("/listed") ? "/all" : "/book"));
			get(path + "/NOT_FOUND");
			get(path + "/UNAVAILABLE");
		}
	}

	private void callPages() throws InterruptedException {
		get("/broken");
		get("/broken", "Accept", "text/html");
		get("/handled");
		get("/missing");
		get("/missing", "Accept", "text/html");
		get("/redirect");
		get("/page");
		get("/download");
		get("/export");
		get("/written");
		get("/events", "Accept", "text/event-stream");
		get("/deferred");
		get("/count?of=1");
		get("/count");
		get("/count?of=many");
		get("/greeting", "Accept", "image/png");
		send("DELETE", "/greeting", "");
		send("HEAD", "/greeting", "");
		send("OPTIONS", "/greeting", "");
		send("POST", "/orders", "{\"sku\":\"book\",\"quantity\":1}", "Content-Type", "application/json");
		send("POST", "/orders", "{\"sku\":\"\",\"quantity\":1}", "Content-Type", "application/json");
		send("POST", "/orders", "{", "Content-Type", "application/json");
		send("POST", "/orders", "sku", "Content-Type", "text/plain");
		send("POST", "/upload", part("file", 5), "Content-Type", "multipart/form-data; boundary=" + BOUNDARY);
		send("POST", "/upload", part("file", 5_000), "Content-Type", "multipart/form-data; boundary=" + BOUNDARY);
		send("POST", "/upload", part("other", 5), "Content-Type", "multipart/form-data; boundary=" + BOUNDARY);
	}

	private void callAsPeopleDo() throws InterruptedException {
		get("/account");
		get("/account", "Authorization", basic("user:password"));
		get("/account", "Authorization", basic("user:guess"));
		get("/admin", "Authorization", basic("user:password"));
		send("POST", "/cart/book", "");
		get("/cart", "Cookie", this.cookie);
		send("POST", "/cart/pen/failing", "", "Cookie", this.cookie);
		get("/cart", "Cookie", this.cookie);
		send("POST", "/items/book", "");
		send("POST", "/items/book", "");
		get("/items/book");
		get("/items/pen");
		send("POST", "/bought/UNAVAILABLE", "");
		get("/items/UNAVAILABLE");
		get("/fetched");
		get("/fetched/missing");
	}

	private void callActuator() throws InterruptedException {
		get("/greeting");
		send("POST", "/actuator/env", "{\"name\":\"shop.greeting\",\"value\":\"good evening\"}", "Content-Type",
				"application/json");
		send("POST", "/actuator/refresh", "", "Content-Type", "application/json");
		get("/greeting");
		get("/items/book");
		get("/actuator");
		get("/actuator/health");
		get("/actuator/info");
	}

	private void callServices() {
		for (String request : new String[] { "book", "headers", "thrown", "NOT_FOUND", "UNAVAILABLE", "INTERNAL",
				"IllegalState", "IllegalArgument" }) {
			call(Prices.GET, request);
		}
		endedByTheServer();
		for (String request : new String[] { "book", "headers", "NOT_FOUND", "UNAVAILABLE", "PERMISSION_DENIED" }) {
			call(Prices.ASK, request);
		}
		call(Prices.SAVE, "lamp");
		call(Prices.SAVE, "lamp");
		call(Prices.DROP, "lamp");
		list("all");
		list("ABORTED");
	}

	private void get(String path, String... headers) throws InterruptedException {
		send("GET", path, "", headers);
	}

	private void send(String method, String path, String body, String... headers) throws InterruptedException {
		HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(this.url + path))
			.method(method, HttpRequest.BodyPublishers.ofString(body));
		if (headers.length > 0) {
			request.headers(headers);
		}
		String what = method + " " + path + " " + String.join(" ", headers).replaceFirst("SESSION=.*", "")
				+ (body.isEmpty() ? "" : " " + body.length());
		try {
			HttpResponse<String> response = this.http.send(request.build(), HttpResponse.BodyHandlers.ofString());
			this.seen.response(what, response);
			response.headers().firstValue("Set-Cookie").ifPresent((set) -> this.cookie = set);
		}
		catch (IOException ex) {
			this.seen.noResponse(what, ex);
		}
	}

	private void call(MethodDescriptor<String, String> method, String request) {
		call(this.channel, method, request);
	}

	private void call(Channel channel, MethodDescriptor<String, String> method, String request) {
		String what = method.getFullMethodName() + " " + request;
		try {
			this.seen.answer(what, ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, request));
		}
		catch (StatusRuntimeException ex) {
			failed(what, ex);
		}
	}

	/**
	 * Tells the server of a deadline that it does not watch itself.
	 */
	private void endedByTheServer() {
		Metadata headers = new Metadata();
		headers.put(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER), "300m");
		call(ClientInterceptors.intercept(this.channel, MetadataUtils.newAttachHeadersInterceptor(headers)), Prices.GET,
				"never");
	}

	private void list(String request) {
		String what = Prices.LIST.getFullMethodName() + " " + request;
		Iterator<String> list = ClientCalls.blockingServerStreamingCall(this.channel, Prices.LIST, CallOptions.DEFAULT,
				request);
		try {
			while (list.hasNext()) {
				this.seen.answer(what, list.next());
			}
		}
		catch (StatusRuntimeException ex) {
			failed(what, ex);
		}
	}

	private void failed(String what, StatusRuntimeException ex) {
		Metadata trailers = ex.getTrailers();
		this.seen.answer(what, ex.getStatus().getCode() + " " + ex.getStatus().getDescription() + " "
				+ ((trailers != null) ? trailers.keys() : ""));
	}

	private static String part(String name, int size) {
		return "--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + name
				+ "\"; filename=\"list.csv\"\r\n\r\n" + "a".repeat(size) + "\r\n--" + BOUNDARY + "--\r\n";
	}

	private static String basic(String credentials) {
		return "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
	}

}
