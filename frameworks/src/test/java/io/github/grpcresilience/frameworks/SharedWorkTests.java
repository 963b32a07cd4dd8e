package io.github.grpcresilience.frameworks;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import com.github.benmanes.caffeine.cache.AsyncLoadingCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import net.devh.boot.grpc.client.inject.GrpcClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.http.client.reactive.ClientHttpConnectorAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.web.reactive.function.client.WebClientAutoConfiguration;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.caffeine.CaffeineCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import io.github.grpcresilience.cancel.reactor.ReactiveCalls;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * Work that one call begins and for whose result others wait as well: the end of the
 * first is none of the others.
 */
class SharedWorkTests {

	private static final long FIRST_MILLIS = 200;

	private static Database database;

	private static HttpPeer peer;

	private static App app;

	@BeforeAll
	static void start() {
		database = Database.create();
		peer = HttpPeer.start();
		app = App.of(Loads.class)
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
					TaskExecutionAutoConfiguration.class, ClientHttpConnectorAutoConfiguration.class,
					WebClientAutoConfiguration.class)
			.with(database.properties())
			.with("grpc.resilience.cancellation.executors.beans.ofCalls=call")
			.start();
		app.on("slow", () -> {
			Source.BEGUN.incrementAndGet();
			TimeUnit.MILLISECONDS.sleep(450);
			return "answer";
		});
		for (Source source : Source.values()) {
			app.on("warm up", () -> source.publisher(app).block());
			app.call("warm up", App.LONG_MILLIS);
		}
	}

	@AfterAll
	static void stop() {
		app.close();
		peer.close();
	}

	@ParameterizedTest
	@EnumSource
	void publisherThatIsSharedIsGotByWhoeverElseWaitsForIt(Source source) throws Exception {
		share(source);
		int before = source.begun();
		Map<Sharing, ListenableFuture<String>> first = beginEach(FIRST_MILLIS);
		App.soon().until(() -> source.begun() >= before + Sharing.values().length);
		Map<Sharing, ListenableFuture<String>> second = beginEach(App.LONG_MILLIS);
		assertEach(second, "answer");
		assertEach(first, "DEADLINE_EXCEEDED");
		assertEach(beginEach(App.LONG_MILLIS), "answer");
	}

	/**
	 * Nobody else has subscribed yet when the first caller goes.
	 */
	@ParameterizedTest
	@EnumSource
	void publisherIsGotByThoseWhoComeAfterTheFirstCallersEnd(Source source) throws Exception {
		share(source);
		assertEach(beginEach(FIRST_MILLIS), "DEADLINE_EXCEEDED");
		assertEach(beginEach(App.LONG_MILLIS), "answer");
		assertEach(beginEach(App.LONG_MILLIS), "answer");
	}

	private static void share(Source source) {
		for (Sharing sharing : Sharing.values()) {
			app.on(sharing.name(), sharing.share(source.publisher(app)));
		}
	}

	private static Map<Sharing, ListenableFuture<String>> beginEach(long millis) {
		Map<Sharing, ListenableFuture<String>> calls = new EnumMap<>(Sharing.class);
		for (Sharing sharing : Sharing.values()) {
			calls.put(sharing, app.begin(sharing.name(), millis));
		}
		return calls;
	}

	private static void assertEach(Map<Sharing, ListenableFuture<String>> calls, String expected) throws Exception {
		Map<Sharing, String> ends = new EnumMap<>(Sharing.class);
		for (Map.Entry<Sharing, ListenableFuture<String>> call : calls.entrySet()) {
			try {
				ends.put(call.getKey(), call.getValue().get(20, TimeUnit.SECONDS));
			}
			catch (ExecutionException ex) {
				ends.put(call.getKey(), Status.fromThrowable(ex).getCode().name());
			}
		}
		assertThat(ends).allSatisfy((sharing, end) -> assertThat(end).startsWith(expected));
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE,
			names = { "ASYNC_METHOD", "ASYNC_METHOD_WITH_A_STUB", "EXECUTOR_OF_CALLS" })
	void loadThatIsSharedIsGotByWhoeverElseWaitsForIt(Loading loading) {
		app.on("load", () -> app.bean(Cached.class).load(loading, "shared"));
		ListenableFuture<String> first = app.begin("load", FIRST_MILLIS);
		App.soon().until(database::isBusy);
		assertThat(app.call("load", App.LONG_MILLIS)).isEqualTo("shared");
		assertThat(Status.fromThrowable(catchThrowable(first::get)).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
	}

	/**
	 * What belongs to its call by its signature, or because somebody has said so, ends
	 * with it. Who else waits is told what is true of him.
	 */
	@ParameterizedTest
	@EnumSource(names = { "ASYNC_METHOD", "ASYNC_METHOD_WITH_A_STUB", "EXECUTOR_OF_CALLS" })
	void loadThatBelongsToItsCallSaysSoToWhoeverElseWaitsForIt(Loading loading) {
		app.on("load", () -> app.bean(Cached.class).load(loading, "owned " + loading));
		int before = Source.BEGUN.get();
		ListenableFuture<String> first = app.begin("load", FIRST_MILLIS);
		App.soon().until(() -> database.isBusy() || Source.BEGUN.get() > before);
		GrpcErrors told = GrpcErrors.from(catchThrowable(() -> app.call("load", App.LONG_MILLIS)));
		assertThat(told.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(told.reason()).contains("SHARED_WORK_ENDED");
		assertThat(Status.fromThrowable(catchThrowable(first::get)).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
		// A cache forgets a failed load after it has told those who wait.
		App.soon().untilAsserted(() -> assertThat(app.code("load", App.LONG_MILLIS)).isEqualTo(Status.Code.OK));
	}

	/**
	 * The first caller leaves, which cancels what its task has begun.
	 */
	@ParameterizedTest
	@EnumSource(names = { "ASYNC_METHOD", "ASYNC_METHOD_WITH_A_STUB", "EXECUTOR_OF_CALLS" })
	void loadThatBelongsToACallerThatLeavesSaysSoToo(Loading loading) {
		app.on("load", () -> app.bean(Cached.class).load(loading, "left " + loading));
		int before = Source.BEGUN.get();
		ListenableFuture<String> first = app.begin("load", App.LONG_MILLIS);
		App.soon().until(() -> database.isBusy() || Source.BEGUN.get() > before);
		ListenableFuture<String> second = app.begin("load", App.LONG_MILLIS);
		int handlers = (loading == Loading.ASYNC_METHOD_WITH_A_STUB) ? 3 : 2;
		App.soon().until(() -> app.running() == handlers);
		first.cancel(true);
		GrpcErrors told = GrpcErrors.from(catchThrowable(() -> second.get(20, TimeUnit.SECONDS)));
		assertThat(told.code()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(told.reason()).contains("SHARED_WORK_ENDED");
	}

	/** What takes its time. */
	enum Source {

		HTTP {

			@Override
			Mono<String> publisher(App app) {
				return app.bean(WebClient.class).get().uri("/450").retrieve().bodyToMono(String.class);
			}

			@Override
			int begun() {
				return peer.arrived();
			}

		},

		JDBC {

			@Override
			Mono<String> publisher(App app) {
				JdbcTemplate jdbc = app.bean(JdbcTemplate.class);
				return Mono.fromCallable(() -> {
					BEGUN.incrementAndGet();
					return jdbc.queryForObject("select 'answer' from pg_sleep(0.45)", String.class);
				}).subscribeOn(Schedulers.boundedElastic());
			}

			@Override
			int begun() {
				return BEGUN.get();
			}

		},

		STUB {

			@Override
			Mono<String> publisher(App app) {
				Channel self = app.bean(Loads.class).self;
				return Mono
					.fromCallable(() -> ClientCalls.blockingUnaryCall(self, Calls.ORDER, CallOptions.DEFAULT, "slow"))
					.subscribeOn(Schedulers.boundedElastic());
			}

			@Override
			int begun() {
				return BEGUN.get();
			}

		},

		FUTURE_STUB {

			@Override
			Mono<String> publisher(App app) {
				Channel self = app.bean(Loads.class).self;
				return ReactiveCalls
					.unary(() -> ClientCalls.futureUnaryCall(self.newCall(Calls.ORDER, CallOptions.DEFAULT), "slow"));
			}

			@Override
			int begun() {
				return BEGUN.get();
			}

		};

		private static final AtomicInteger BEGUN = new AtomicInteger();

		abstract Mono<String> publisher(App app);

		/** How often it was asked. */
		abstract int begun();

	}

	/** How an application shares a publisher among its callers. */
	enum Sharing {

		CACHE {

			@Override
			Callable<String> share(Mono<String> publisher) {
				return publisher.cache()::block;
			}

		},

		CACHE_FOR_A_MINUTE {

			@Override
			Callable<String> share(Mono<String> publisher) {
				return publisher.cache(Duration.ofMinutes(1))::block;
			}

		},

		SHARE {

			@Override
			Callable<String> share(Mono<String> publisher) {
				return publisher.share()::block;
			}

		},

		FUTURE {

			@Override
			Callable<String> share(Mono<String> publisher) {
				Map<String, CompletableFuture<String>> futures = new ConcurrentHashMap<>();
				return () -> futures.computeIfAbsent("key", (key) -> publisher.toFuture()).join();
			}

		};

		abstract Callable<String> share(Mono<String> publisher);

	}

	/** How an application loads what it caches. */
	enum Loading {

		ASYNC_CACHE, ASYNC_CACHE_ON_COMMON_POOL, SYNC_CACHE, CACHEABLE, CACHEABLE_FUTURE,

		/** The first caller loads, and the others wait for a future of it. */
		CACHEABLE_IN_ASYNC_CACHE,

		ASYNC_METHOD, ASYNC_METHOD_WITH_A_STUB, EXECUTOR_OF_CALLS

	}

	/** Caches of what is slow to load. */
	static class Cached {

		private final Map<String, CompletableFuture<String>> futures = new ConcurrentHashMap<>();

		private final AsyncLoadingCache<String, String> asyncCache;

		private final AsyncLoadingCache<String, String> commonPoolCache;

		private final AsyncLoadingCache<String, String> callsCache;

		private final LoadingCache<String, String> syncCache;

		private final Slow slow;

		Cached(Slow slow, AsyncTaskExecutor applicationTaskExecutor, AsyncTaskExecutor ofCalls) {
			this.slow = slow;
			this.asyncCache = Caffeine.newBuilder().executor(applicationTaskExecutor).buildAsync(slow::load);
			this.commonPoolCache = Caffeine.newBuilder().buildAsync(slow::load);
			this.callsCache = Caffeine.newBuilder().executor(ofCalls).buildAsync(slow::load);
			this.syncCache = Caffeine.newBuilder().build(slow::load);
		}

		String load(Loading loading, String key) throws ExecutionException, InterruptedException {
			return switch (loading) {
				case ASYNC_CACHE -> this.asyncCache.get(key).join();
				case ASYNC_CACHE_ON_COMMON_POOL -> this.commonPoolCache.get(key).join();
				case SYNC_CACHE -> this.syncCache.get(key);
				case CACHEABLE -> this.slow.cached(key);
				case CACHEABLE_FUTURE -> this.slow.cachedFuture(key).get();
				case CACHEABLE_IN_ASYNC_CACHE -> this.slow.cachedInAsyncCache(key);
				case ASYNC_METHOD -> future(key, this.slow::later).get();
				case ASYNC_METHOD_WITH_A_STUB -> future(key, this.slow::askedLater).get();
				case EXECUTOR_OF_CALLS -> this.callsCache.get(key).join();
			};
		}

		private CompletableFuture<String> future(String key, Function<String, CompletableFuture<String>> load) {
			CompletableFuture<String> future = this.futures.computeIfAbsent(key, load);
			Future<String> unused = future.whenComplete((value, thrown) -> {
				if (thrown != null) {
					this.futures.remove(key, future);
				}
			});
			return future;
		}

	}

	/** Loads slowly. */
	static class Slow {

		private final JdbcTemplate jdbc;

		private final AsyncTaskExecutor executor;

		@GrpcClient("self")
		private Channel self;

		Slow(JdbcTemplate jdbc, AsyncTaskExecutor executor) {
			this.jdbc = jdbc;
			this.executor = executor;
		}

		String load(String key) {
			return this.jdbc.queryForObject("select ? from pg_sleep(0.45)", String.class, key);
		}

		@Cacheable(cacheNames = "values", sync = true)
		String cached(String key) {
			return load(key);
		}

		@Cacheable(cacheManager = "asyncCaches", cacheNames = "values", sync = true)
		String cachedInAsyncCache(String key) {
			return load(key);
		}

		@Cacheable(cacheManager = "asyncCaches", cacheNames = "futures", sync = true)
		CompletableFuture<String> cachedFuture(String key) {
			return CompletableFuture.supplyAsync(() -> load(key), this.executor);
		}

		@Async
		CompletableFuture<String> askedLater(String key) {
			return CompletableFuture
				.completedFuture(ClientCalls.blockingUnaryCall(this.self, Calls.ORDER, CallOptions.DEFAULT, "slow"));
		}

		@Async
		CompletableFuture<String> later(String key) {
			return CompletableFuture.completedFuture(load(key));
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@EnableCaching
	static class Loads {

		@GrpcClient("self")
		private Channel self;

		@Bean
		WebClient webClient(WebClient.Builder http) {
			return http.baseUrl(peer.url()).build();
		}

		@Bean
		Slow slow(JdbcTemplate jdbc, @Qualifier("applicationTaskExecutor") AsyncTaskExecutor executor) {
			return new Slow(jdbc, executor);
		}

		@Bean
		Cached cached(Slow slow, @Qualifier("applicationTaskExecutor") AsyncTaskExecutor applicationTaskExecutor,
				@Qualifier("ofCalls") AsyncTaskExecutor ofCalls) {
			return new Cached(slow, applicationTaskExecutor, ofCalls);
		}

		@Bean
		@Primary
		CaffeineCacheManager caches() {
			return new CaffeineCacheManager();
		}

		@Bean
		CaffeineCacheManager asyncCaches() {
			CaffeineCacheManager caches = new CaffeineCacheManager();
			caches.setAsyncCacheMode(true);
			return caches;
		}

		@Bean(defaultCandidate = false)
		ThreadPoolTaskExecutor ofCalls() {
			return new ThreadPoolTaskExecutor();
		}

	}

}
