package io.github.grpcresilience.frameworks;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.server.event.GrpcServerStartedEvent;
import net.devh.boot.grpc.server.service.GrpcService;
import org.springframework.context.event.EventListener;

/**
 * A service whose handlers the tests write. A request is the name of a handler.
 */
@GrpcService
public class Calls implements BindableService {

	private static final String SERVICE = "frameworks.v1.Calls";

	/** What most calls call. */
	static final MethodDescriptor<String, String> DO = method("Do");

	/** Another one, of which less is said. */
	static final MethodDescriptor<String, String> ORDER = method("Order");

	/** One for a policy of its own. */
	static final MethodDescriptor<String, String> CHARGE = method("Charge");

	private final Map<String, Callable<String>> handlers = new ConcurrentHashMap<>();

	private final Map<String, Runnable> afterwards = new ConcurrentHashMap<>();

	private final AtomicInteger running = new AtomicInteger();

	private final CompletableFuture<Integer> port = new CompletableFuture<>();

	static MethodDescriptor<String, String> method(String name) {
		return MethodDescriptor.newBuilder(new Text(), new Text())
			.setType(MethodDescriptor.MethodType.UNARY)
			.setFullMethodName(SERVICE + "/" + name)
			.build();
	}

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder(SERVICE)
			.addMethod(DO, ServerCalls.asyncUnaryCall(this::handle))
			.addMethod(ORDER, ServerCalls.asyncUnaryCall(this::handle))
			.addMethod(CHARGE, ServerCalls.asyncUnaryCall(this::handle))
			.build();
	}

	@EventListener
	void started(GrpcServerStartedEvent event) {
		this.port.complete(event.getPort());
	}

	int port() {
		return this.port.join();
	}

	void on(String request, Callable<String> handler) {
		this.handlers.put(request, handler);
	}

	/** What a handler goes on with when it has answered. */
	void afterwards(String request, Runnable work) {
		this.afterwards.put(request, work);
	}

	/** Handlers that have not returned yet, whatever became of their calls. */
	int running() {
		return this.running.get();
	}

	private void handle(String request, StreamObserver<String> observer) {
		this.running.incrementAndGet();
		try {
			observer.onNext(this.handlers.get(request).call());
			observer.onCompleted();
			this.afterwards.getOrDefault(request, () -> {
			}).run();
		}
		catch (RuntimeException ex) {
			throw ex;
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
		finally {
			this.running.decrementAndGet();
		}
	}

	private static final class Text implements MethodDescriptor.Marshaller<String> {

		@Override
		public InputStream stream(String value) {
			return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
		}

		@Override
		public String parse(InputStream stream) {
			try {
				return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

	}

}
