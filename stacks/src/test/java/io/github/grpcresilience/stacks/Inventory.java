package io.github.grpcresilience.stacks;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.Status;
import jakarta.persistence.EntityManager;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.transaction.support.TransactionTemplate;

import io.github.grpcresilience.Budget;
import io.github.grpcresilience.error.ErrorMapper;
import io.github.grpcresilience.error.GrpcError;

/**
 * The service that is called last, with a database.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@EnableAsync
@Import({ Advice.class, ServerPort.class, Inventory.Later.class })
class Inventory {

	/** Longer than any test. */
	private static final String BUSY = "select sum(a.x * b.x) from system_range(1, 10000000) a, system_range(1, 10000000) b";

	@Bean
	ServedShop shop(JdbcTemplate jdbc, @Qualifier("applicationTaskExecutor") AsyncTaskExecutor tasks, Later later,
			EntityManager entities, TransactionTemplate transactions) {
		return new ServedShop((request) -> switch (request) {
			case "query" -> String.valueOf(jdbc.queryForObject(BUSY, Long.class));
			case "async" -> later.remaining().get(10, TimeUnit.SECONDS);
			case "duplicate" -> transactions.execute((status) -> {
				entities.persist(new Article(request));
				entities.flush();
				return "kept";
			});
			case "task" -> tasks.submit((Callable<String>) Inventory::remaining).get(10, TimeUnit.SECONDS);
			default -> throw new IllegalArgumentException(request);
		});
	}

	static String remaining() {
		return Budget.remaining().map((left) -> String.valueOf(left.toMillis())).orElse("none");
	}

	@Bean
	ErrorMapper<Shop.UnknownArticle> unknownArticles() {
		return ErrorMapper.of(Shop.UnknownArticle.class,
				(thrown) -> GrpcError.answer(Status.Code.NOT_FOUND).reason("SKU_UNKNOWN").message("no such article"));
	}

	@Bean
	ErrorMapper<Shop.Teapot> teapots() {
		return ErrorMapper.of(Shop.Teapot.class, (thrown) -> GrpcError.answer(Status.Code.ABORTED));
	}

	static class Later {

		@Async("applicationTaskExecutor")
		CompletableFuture<String> remaining() {
			return CompletableFuture.completedFuture(Inventory.remaining());
		}

	}

}
