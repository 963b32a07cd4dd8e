package io.github.grpcresilience.autoconfigure.netdevh;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.service.GrpcService;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.test.annotation.DirtiesContext;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.Echo;
import io.github.grpcresilience.event.Work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * Handlers of net.devh's starter whose work goes on in Spring's executors and in Reactor,
 * over Netty. One call at a time, in a pool with one thread.
 */
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.NONE,
		properties = { "spring.application.name=works", "grpc.server.port=0", "grpc.client.works.address=self:self",
				"grpc.client.works.negotiation-type=plaintext", "spring.task.execution.pool.core-size=1",
				"grpc.resilience.server.policies.interrupted.methods=test.v1.Works/Interrupted",
				"grpc.resilience.server.policies.interrupted.interrupt-on-cancel=true" })
class NetDevhTaskTests {

	@GrpcClient("works")
	private Channel channel;

	@Autowired
	private Notes notes;

	@Autowired
	private GrpcResilience resilience;

	@Test
	void asyncMethodHasTheBudgetOfItsCall() {
		assertThat(Long.parseLong(call("async", 4_321))).isBetween(1L, 4_321L);
	}

	@Test
	void publisherHasTheBudgetOfItsCallOnEveryScheduler() {
		assertThat(Long.parseLong(call("reactor", 4_321))).isBetween(1L, 4_321L);
	}

	@Test
	void asyncMethodGoesOnCallingAfterTheAnswer() throws Exception {
		assertThat(call("mail", 4_321)).isEqualTo("answered");
		assertThat(this.notes.mailed.get(20, TimeUnit.SECONDS)).isPositive();
	}

	@Test
	void queuedAsyncMethodOfACallerThatLeftDoesNotStart() throws Exception {
		long refusedBefore = this.resilience.inspection().stoppedWork().sums(Work.TASK).refused();
		ClientCall<String, String> call = start(this.channel, Service.METHOD, "queue");
		this.notes.queued.get(20, TimeUnit.SECONDS);
		call.cancel("the caller leaves", null);
		Throwable thrown = catchThrowable(() -> this.notes.queued.get().get(20, TimeUnit.SECONDS));
		assertThat(thrown).isInstanceOf(CancellationException.class);
		this.notes.free.countDown();
		await().until(() -> this.resilience.inspection().stoppedWork().sums(Work.TASK).refused() == refusedBefore + 1);
		assertThat(call("async", 4_321)).isNotEmpty();
		assertThat(this.notes.started).hasValue(0);
	}

	@Test
	void runningAsyncMethodIsInterruptedWhereThePolicySaysSo() throws Exception {
		ClientCall<String, String> call = start(this.channel, Service.INTERRUPTED, "");
		this.notes.sleeping.get(20, TimeUnit.SECONDS);
		call.cancel("the caller leaves", null);
		assertThat(this.notes.interrupted.get(20, TimeUnit.SECONDS)).isTrue();
		assertThat(call("async", 4_321)).isNotEmpty();
	}

	@Test
	void publisherThatAHandlerWaitsForFailsWhenTheDeadlineEnds() throws Exception {
		assertThat(Status.fromThrowable(catchThrowable(() -> call("never", 1_432))).getCode())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		assertThat(Status.fromThrowable(this.notes.told.get(20, TimeUnit.SECONDS)).getCode())
			.isEqualTo(Status.Code.DEADLINE_EXCEEDED);
	}

	private String call(String request, long millis) {
		return ClientCalls.blockingUnaryCall(this.channel, Service.METHOD,
				CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS), request);
	}

	private static ClientCall<String, String> start(Channel channel, MethodDescriptor<String, String> method,
			String request) {
		ClientCall<String, String> call = channel.newCall(method,
				CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS));
		call.start(new ClientCall.Listener<>() {
		}, new Metadata());
		call.request(2);
		call.sendMessage(request);
		call.halfClose();
		return call;
	}

	@GrpcService
	static class Service implements BindableService {

		static final MethodDescriptor<String, String> METHOD = Echo.REMAINING.toBuilder()
			.setFullMethodName("test.v1.Works/Work")
			.build();

		static final MethodDescriptor<String, String> INTERRUPTED = Echo.REMAINING.toBuilder()
			.setFullMethodName("test.v1.Works/Interrupted")
			.build();

		private final Works works;

		private final Notes notes;

		@GrpcClient("works")
		private Channel self;

		Service(Works works, Notes notes) {
			this.works = works;
			this.notes = notes;
		}

		@Override
		public ServerServiceDefinition bindService() {
			return ServerServiceDefinition.builder("test.v1.Works")
				.addMethod(METHOD, ServerCalls.asyncUnaryCall(this::work))
				.addMethod(INTERRUPTED, ServerCalls.asyncUnaryCall((request, observer) -> {
					Future<?> unused = this.works.sleepUntilInterrupted();
				}))
				.build();
		}

		private void work(String request, StreamObserver<String> observer) {
			switch (request) {
				case "async" -> answer(observer, this.works.remaining().join());
				case "reactor" -> Mono.just("")
					.publishOn(Schedulers.parallel())
					.map((value) -> Works.millis())
					.subscribe((value) -> answer(observer, value), observer::onError);
				case "mail" -> {
					this.works.mail(Context.current(), this.self);
					answer(observer, "answered");
				}
				case "queue" -> {
					this.works.keepBusy();
					this.notes.queued.complete(this.works.neverStarts());
				}
				case "never" -> this.notes.told.complete(catchThrowable(() -> Mono.never().block()));
				default -> observer.onError(Status.UNIMPLEMENTED.asRuntimeException());
			}
		}

		private static void answer(StreamObserver<String> observer, String value) {
			observer.onNext(value);
			observer.onCompleted();
		}

	}

	/** Apart from the work, whose proxy has fields of its own. */
	static class Notes {

		final CompletableFuture<Future<String>> queued = new CompletableFuture<>();

		final CompletableFuture<Long> mailed = new CompletableFuture<>();

		final CompletableFuture<Void> sleeping = new CompletableFuture<>();

		final CompletableFuture<Boolean> interrupted = new CompletableFuture<>();

		final CompletableFuture<Throwable> told = new CompletableFuture<>();

		final AtomicInteger started = new AtomicInteger();

		final CountDownLatch free = new CountDownLatch(1);

	}

	static class Works {

		private final Notes notes;

		Works(Notes notes) {
			this.notes = notes;
		}

		static String millis() {
			return String.valueOf(Budget.remaining().orElseThrow().toMillis());
		}

		@Async
		CompletableFuture<String> remaining() {
			return CompletableFuture.completedFuture(millis());
		}

		@Async
		void mail(Context handler, Channel self) {
			await().until(handler::isCancelled);
			this.notes.mailed.complete(Long
				.parseLong(ClientCalls.blockingUnaryCall(self, Service.METHOD, CallOptions.DEFAULT, "reactor")));
		}

		@Async
		void keepBusy() {
			try {
				assertThat(this.notes.free.await(20, TimeUnit.SECONDS)).isTrue();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}

		@Async
		Future<String> neverStarts() {
			this.notes.started.incrementAndGet();
			return CompletableFuture.completedFuture("");
		}

		@Async
		Future<?> sleepUntilInterrupted() {
			this.notes.sleeping.complete(null);
			try {
				this.notes.interrupted.complete(new CountDownLatch(1).await(20, TimeUnit.SECONDS));
			}
			catch (InterruptedException ex) {
				this.notes.interrupted.complete(true);
			}
			return CompletableFuture.completedFuture("");
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@EnableAsync(proxyTargetClass = true)
	@Import(Service.class)
	static class Application {

		@Bean
		Notes notes() {
			return new Notes();
		}

		@Bean
		Works works(Notes notes) {
			return new Works(notes);
		}

	}

}
