package io.github.grpcresilience.autoconfigure.error;

import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.validation.constraints.NotBlank;
import net.devh.boot.grpc.client.inject.GrpcClient;
import net.devh.boot.grpc.server.service.GrpcService;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.domain.EntityScan;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.transaction.support.TransactionTemplate;

import io.github.grpcresilience.autoconfigure.Echo;
import io.github.grpcresilience.error.GrpcErrors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * What callers see of broken constraints, however and whenever they are found.
 */
@DirtiesContext
@SpringBootTest(webEnvironment = WebEnvironment.NONE,
		properties = { "spring.application.name=shop", "grpc.server.port=-1", "grpc.server.in-process-name=jpa-errors",
				"grpc.client.self.address=in-process:jpa-errors", "grpc.resilience.client.deadline.default=33s",
				"spring.datasource.url=jdbc:h2:mem:jpa-errors", "spring.jpa.hibernate.ddl-auto=create" })
class JpaErrorsTests {

	private static final MethodDescriptor<String, String> STORE = Echo.REMAINING.toBuilder()
		.setFullMethodName("test.v1.Store/Store")
		.build();

	@GrpcClient("self")
	private Channel channel;

	@Autowired
	private JdbcTemplate jdbc;

	@BeforeEach
	void empty() {
		this.jdbc.execute("delete from article");
		this.jdbc.execute("insert into article(id, sku, name) values (-1, 'SKU-1', 'Garden bench')");
	}

	private GrpcErrors call(String way) {
		return GrpcErrors.from(catchThrowableOfType(StatusRuntimeException.class,
				() -> ClientCalls.blockingUnaryCall(this.channel, STORE, CallOptions.DEFAULT, way)));
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdbc", "save and flush", "save at commit", "persist and flush" })
	void duplicateKeyExistsAlready(String way) {
		GrpcErrors errors = call(way + "/SKU-1/another");
		assertThat(errors.code()).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(errors.reason()).hasValue("DUPLICATE_KEY");
		assertThat(errors.details().toString()).doesNotContainIgnoringCase("article");
	}

	@ParameterizedTest
	@ValueSource(strings = { "save and flush", "save at commit", "persist and flush" })
	void blankNameIsInvalid(String way) {
		GrpcErrors errors = call(way + "/SKU-2/ ");
		assertThat(errors.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(errors.badRequest().orElseThrow().getFieldViolations(0).getField()).isEqualTo("name");
	}

	/** Whose fault it is nobody can tell. */
	@ParameterizedTest
	@ValueSource(strings = { "dangling and flush", "dangling at commit" })
	void brokenForeignKeyIsInternal(String way) {
		assertThat(call(way + "/SKU-3/name").code()).isEqualTo(Status.Code.INTERNAL);
	}

	@Test
	void fullExecutorOfSpringIsExhausted() {
		GrpcErrors errors = call("reject/x/x");
		assertThat(errors.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(errors.retryDelay()).isPresent();
	}

	@SpringBootConfiguration
	@EnableAutoConfiguration
	@EntityScan(basePackageClasses = JpaErrorsTests.class)
	@EnableJpaRepositories(basePackageClasses = JpaErrorsTests.class, considerNestedRepositories = true)
	@Import(Store.class)
	static class Application {

	}

	interface Articles extends JpaRepository<Article, Long> {

	}

	@Entity(name = "article")
	static class Article {

		@Id
		@GeneratedValue
		Long id;

		@Column(unique = true)
		String sku;

		@NotBlank
		String name;

		@ManyToOne
		Article parent;

		Article() {
		}

		Article(String sku, String name) {
			this.sku = sku;
			this.name = name;
		}

	}

	@GrpcService
	static class Store implements BindableService {

		private final Map<String, Consumer<Article>> ways;

		Store(Articles articles, EntityManager entities, TransactionTemplate transaction, JdbcTemplate jdbc) {
			this.ways = Map.of("jdbc",
					(article) -> jdbc.update("insert into article(id, sku, name) values (-2, ?, ?)", article.sku,
							article.name),
					"save and flush", articles::saveAndFlush, "save at commit",
					(article) -> transaction.executeWithoutResult((status) -> articles.save(article)),
					"persist and flush", (article) -> transaction.executeWithoutResult((status) -> {
						entities.persist(article);
						entities.flush();
					}), "dangling and flush", (article) -> transaction.executeWithoutResult((status) -> {
						article.parent = entities.getReference(Article.class, 4711L);
						articles.saveAndFlush(article);
					}), "dangling at commit", (article) -> transaction.executeWithoutResult((status) -> {
						article.parent = entities.getReference(Article.class, 4711L);
						articles.save(article);
					}), "reject", (article) -> {
						throw new TaskRejectedException("ExecutorService in active state did not accept task: secret",
								new RejectedExecutionException("[Running, pool size = 1]"));
					});
		}

		@Override
		public ServerServiceDefinition bindService() {
			return ServerServiceDefinition.builder("test.v1.Store")
				.addMethod(STORE, ServerCalls.asyncUnaryCall(this::store))
				.build();
		}

		private void store(String request, StreamObserver<String> observer) {
			String[] parts = request.split("/", -1);
			this.ways.get(parts[0]).accept(new Article(parts[1], parts[2]));
			observer.onNext("stored");
			observer.onCompleted();
		}

	}

}
