package io.github.grpcresilience.frameworks;

import jakarta.servlet.http.HttpSession;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.session.SessionAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Sessions that Spring keeps in the database, and saves at the end of a request.
 */
class SessionTests {

	@Test
	void sessionOfARequestWhoseBudgetIsOverIsSaved() {
		Database database = Database.create();
		database.executeScript("org/springframework/session/jdbc/schema-postgresql.sql");
		try (App app = App.of(Cart.class)
			.mvc()
			.auto(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
					DataSourceTransactionManagerAutoConfiguration.class, TransactionAutoConfiguration.class,
					SessionAutoConfiguration.class)
			.with(database.properties())
			.start()) {
			String cookie = app.get("/cart", App.LONG_MILLIS).headers().firstValue("Set-Cookie").orElseThrow();
			assertThat(app.get("/add", App.SHORT_MILLIS, "Cookie", cookie).statusCode()).isEqualTo(504);
			assertThat(app.get("/cart", App.LONG_MILLIS, "Cookie", cookie).body()).isEqualTo("a book");
		}
	}

	/** Keeps what it is told, and then is slow. */
	@RestController
	static class Cart {

		private final JdbcTemplate jdbc;

		Cart(JdbcTemplate jdbc) {
			this.jdbc = jdbc;
		}

		@GetMapping("/cart")
		String cart(HttpSession session) {
			return String.valueOf(session.getAttribute("cart"));
		}

		@GetMapping("/add")
		String add(HttpSession session) {
			session.setAttribute("cart", "a book");
			this.jdbc.execute("select pg_sleep(20)");
			return "added";
		}

	}

}
