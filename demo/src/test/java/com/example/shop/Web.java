package com.example.shop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.multipart.MultipartFile;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.View;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import org.springframework.web.servlet.view.RedirectView;

/**
 * What the shop serves over HTTP.
 */
@RestController
class Web {

	private final Items items;

	private final Shop.Greeting greeting;

	private final Tasks tasks;

	private final RestClient http;

	@GrpcClient("prices")
	private Channel prices;

	Web(Items items, Shop.Greeting greeting, Tasks tasks, RestClient.Builder http) {
		this.items = items;
		this.greeting = greeting;
		this.tasks = tasks;
		this.http = http.build();
	}

	private String price(String sku) {
		return ClientCalls.blockingUnaryCall(this.prices, Prices.GET, CallOptions.DEFAULT, sku);
	}

	private String price(String sku, long millis) {
		return ClientCalls.blockingUnaryCall(this.prices, Prices.GET,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), sku);
	}

	@GetMapping("/greeting")
	String greeting() {
		return this.greeting.text();
	}

	@GetMapping("/prices/{sku}")
	Map<String, String> blocking(@PathVariable String sku) {
		return Map.of("price", price(sku));
	}

	@GetMapping("/within/{sku}")
	String within(@PathVariable String sku) {
		return price(sku, 1_000);
	}

	@GetMapping("/slowly/{sku}")
	String slowly(@PathVariable String sku) {
		return price(sku, 30_000);
	}

	@GetMapping("/asked/{sku}")
	String asked(@PathVariable String sku) {
		return ClientCalls.blockingUnaryCall(this.prices, Prices.ASK, CallOptions.DEFAULT, sku);
	}

	@GetMapping("/listed/{sku}")
	String listed(@PathVariable String sku) {
		StringBuilder list = new StringBuilder();
		ClientCalls.blockingServerStreamingCall(this.prices, Prices.LIST, CallOptions.DEFAULT, sku)
			.forEachRemaining(list::append);
		return list.toString();
	}

	@GetMapping("/callable/{sku}")
	Callable<String> callable(@PathVariable String sku) {
		return () -> price(sku);
	}

	@GetMapping("/future/{sku}")
	CompletableFuture<String> future(@PathVariable String sku) {
		return CompletableFuture.supplyAsync(() -> price(sku));
	}

	@GetMapping("/task/{sku}")
	CompletableFuture<String> task(@PathVariable String sku) {
		return this.tasks.price(sku);
	}

	@GetMapping("/deferred")
	DeferredResult<String> deferred() {
		return new DeferredResult<>(100L);
	}

	@GetMapping("/caught/{sku}")
	String caught(@PathVariable String sku) {
		try {
			return price(sku);
		}
		catch (StatusRuntimeException ex) {
			throw new ResponseStatusException(HttpStatus.GONE, "sold", ex);
		}
	}

	@GetMapping("/annotated/{sku}")
	String annotated(@PathVariable String sku) {
		try {
			return price(sku);
		}
		catch (StatusRuntimeException ex) {
			throw new SoldException(ex);
		}
	}

	@GetMapping("/fallback/{sku}")
	String fallback(@PathVariable String sku) {
		try {
			return price(sku);
		}
		catch (StatusRuntimeException ex) {
			return ex.getStatus() + " " + ex.getTrailers();
		}
	}

	@GetMapping("/broken")
	String broken() {
		throw new IllegalStateException("secrets of 10.0.0.7");
	}

	@GetMapping("/redirect")
	RedirectView redirect() {
		return new RedirectView("/greeting");
	}

	@GetMapping("/page")
	ModelAndView page() {
		View view = (model, request, response) -> {
			response.setContentType("text/html");
			response.getWriter().write("<html>" + model.get("title") + "</html>");
		};
		return new ModelAndView(view, "title", "Shop");
	}

	@GetMapping("/download")
	ResponseEntity<byte[]> download() {
		return ResponseEntity.ok()
			.header(HttpHeaders.CONTENT_DISPOSITION, "attachment; filename=list.csv")
			.body("a;b".getBytes(StandardCharsets.UTF_8));
	}

	@GetMapping("/export")
	StreamingResponseBody export() {
		return (out) -> {
			for (int i = 0; i < 100; i++) {
				out.write("a;b\n".repeat(1_000).getBytes(StandardCharsets.UTF_8));
				out.flush();
			}
		};
	}

	@GetMapping("/written")
	void written(HttpServletResponse response) throws IOException {
		response.getWriter().write("some of it");
		response.flushBuffer();
		price("UNAVAILABLE");
	}

	@GetMapping("/events")
	SseEmitter events() throws IOException {
		SseEmitter emitter = new SseEmitter();
		emitter.send("one");
		emitter.send(price("book"));
		emitter.complete();
		return emitter;
	}

	@PostMapping("/upload")
	String upload(@RequestParam MultipartFile file) {
		return "bytes: " + file.getSize();
	}

	@PostMapping("/orders")
	@ResponseStatus(HttpStatus.CREATED)
	Order order(@Valid @RequestBody Order order) {
		return order;
	}

	@GetMapping("/count")
	int count(@RequestParam int of) {
		return of;
	}

	@GetMapping("/account")
	String account(HttpServletRequest request) {
		return String.valueOf(request.getRemoteUser());
	}

	@GetMapping("/admin")
	String admin() {
		return "admin";
	}

	@PostMapping("/cart/{sku}")
	String add(@PathVariable String sku, HttpSession session) {
		session.setAttribute("sku", sku);
		return "added";
	}

	@PostMapping("/cart/{sku}/failing")
	String addAndFail(@PathVariable String sku, HttpSession session) {
		session.setAttribute("sku", sku);
		return price("UNAVAILABLE");
	}

	@GetMapping("/cart")
	String cart(HttpSession session) {
		return String.valueOf(session.getAttribute("sku"));
	}

	@PostMapping("/items/{sku}")
	String save(@PathVariable String sku) {
		return this.items.save(new Item(sku)).sku();
	}

	@GetMapping("/items/{sku}")
	ResponseEntity<String> item(@PathVariable String sku) {
		return ResponseEntity.of(this.items.findBySku(sku).map(Item::sku));
	}

	@PostMapping("/bought/{sku}")
	@Transactional
	String buy(@PathVariable String sku) {
		this.items.save(new Item(sku));
		return price(sku);
	}

	@GetMapping("/fetched")
	String fetched(HttpServletRequest request) {
		return String.valueOf(this.http.get()
			.uri("http://localhost:{port}/greeting", request.getLocalPort())
			.retrieve()
			.body(String.class));
	}

	@GetMapping("/fetched/missing")
	String fetchedMissing(HttpServletRequest request) {
		return String.valueOf(this.http.get()
			.uri("http://localhost:{port}/missing", request.getLocalPort())
			.retrieve()
			.body(String.class));
	}

	record Order(@NotBlank String sku, int quantity) {
	}

	@ResponseStatus(HttpStatus.CONFLICT)
	static class SoldException extends RuntimeException {

		SoldException(Throwable cause) {
			super(cause);
		}

	}

}
