package io.github.grpcresilience.frameworks;

import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.batch.core.ExitStatus;
import org.springframework.batch.core.Job;
import org.springframework.batch.core.JobExecution;
import org.springframework.batch.core.JobParameters;
import org.springframework.batch.core.JobParametersBuilder;
import org.springframework.batch.core.Step;
import org.springframework.batch.core.configuration.annotation.StepScope;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.launch.JobLauncher;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.batch.item.ItemReader;
import org.springframework.batch.item.support.ListItemReader;
import org.springframework.batch.repeat.RepeatStatus;
import org.springframework.boot.autoconfigure.batch.BatchAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.sql.init.SqlInitializationAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Jobs of Spring Batch that a handler runs and that take longer than its call: whatever
 * became of the work, the job's own books are closed.
 */
class BatchTests {

	private static Database database;

	private static App app;

	@BeforeAll
	static void start() {
		database = Database.create("create table items (item int)", "create table pace (seconds float)",
				"insert into pace values (0)");
		app = App.of(Jobs.class)
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
					DataSourceTransactionManagerAutoConfiguration.class, TransactionAutoConfiguration.class,
					SqlInitializationAutoConfiguration.class, BatchAutoConfiguration.class)
			.with(database.properties())
			.with("spring.batch.jdbc.initialize-schema=always", "spring.batch.job.enabled=false")
			.start();
		assertThat(run("chunks", parameters("warm up")).getExitStatus()).isEqualTo(ExitStatus.COMPLETED);
	}

	@AfterAll
	static void stop() {
		app.close();
	}

	/**
	 * A tasklet waits for one query; the other jobs make one short statement after the
	 * other, in chunks, each a transaction, or one item at a time.
	 */
	@ParameterizedTest
	@CsvSource({ "tasklet, 20, DEADLINE", "tasklet, 20, LEAVING", "chunks, 0.1, DEADLINE", "chunks, 0.1, LEAVING",
			"singles, 0.1, LEAVING", "singles, 0.001, DEADLINE" })
	void jobThatOutlivesItsCallHasEndedAndCanBeStartedAgain(String job, double seconds, End end) {
		JobParameters parameters = parameters(job + seconds + end);
		database.execute("update pace set seconds = " + seconds);
		app.on("run", () -> String.valueOf(run(job, parameters).getStatus()));
		end.of(app, "run", database::isBusy);
		assertThat(database.value(lastExecution("status"))).isIn("FAILED", "STOPPED");
		assertThat(database.value(lastExecution("end_time"))).isNotNull();
		assertThat(database.value("select string_agg(distinct status, ', ') from batch_step_execution"
				+ " where job_execution_id = (" + lastExecution("job_execution_id") + ")"))
			.isIn("FAILED", "STOPPED");

		database.execute("update pace set seconds = 0");
		app.on("run again", () -> run(job, parameters).getExitStatus().getExitCode());
		assertThat(app.call("run again", App.LONG_MILLIS)).isEqualTo("COMPLETED");
	}

	private static String lastExecution(String column) {
		return "select " + column + " from batch_job_execution order by job_execution_id desc limit 1";
	}

	private static JobParameters parameters(String name) {
		return new JobParametersBuilder().addString("name", name).toJobParameters();
	}

	private static JobExecution run(String job, JobParameters parameters) {
		try {
			return app.bean(JobLauncher.class).run(app.bean(job, Job.class), parameters);
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Jobs {

		private static final String WORK_SQL = "select pg_sleep((select seconds from pace))";

		@Bean
		Job tasklet(JobRepository repository, PlatformTransactionManager transactions, JdbcTemplate jdbc) {
			return new JobBuilder("tasklet", repository)
				.start(new StepBuilder("query", repository).tasklet((contribution, context) -> {
					jdbc.execute(WORK_SQL);
					return RepeatStatus.FINISHED;
				}, transactions).build())
				.build();
		}

		@Bean
		Job chunks(JobRepository repository, PlatformTransactionManager transactions, JdbcTemplate jdbc,
				ItemReader<Integer> items) {
			return new JobBuilder("chunks", repository).start(step(repository, transactions, jdbc, items, 200)).build();
		}

		@Bean
		Job singles(JobRepository repository, PlatformTransactionManager transactions, JdbcTemplate jdbc,
				ItemReader<Integer> items) {
			return new JobBuilder("singles", repository).start(step(repository, transactions, jdbc, items, 1)).build();
		}

		private static Step step(JobRepository repository, PlatformTransactionManager transactions, JdbcTemplate jdbc,
				ItemReader<Integer> items, int chunk) {
			return new StepBuilder("items", repository).<Integer, Integer>chunk(chunk, transactions)
				.reader(items)
				.writer((written) -> written.forEach((item) -> {
					jdbc.execute(WORK_SQL);
					jdbc.update("insert into items values (?)", item);
				}))
				.build();
		}

		@Bean
		@StepScope
		ListItemReader<Integer> items() {
			return new ListItemReader<>(IntStream.range(0, 400).boxed().toList());
		}

	}

}
