package io.github.grpcresilience.autoconfigure;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;

import io.github.grpcresilience.internal.call.CallScope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What a call creates first that is there for everybody.
 */
class SingletonCreationTests {

	private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(
			Application.class);

	private final TestCall call = TestCall.begin();

	private boolean isInCall() {
		return CallScope.current() != null;
	}

	@Test
	void lazySingletonIsCreatedOutsideOfTheCallThatNeedsItFirst() throws Exception {
		this.call.call(() -> {
			assertThat(this.context.getBean("outer", Seen.class).inCall()).isFalse();
			assertThat(isInCall()).isTrue();
			assertThat(this.context.getBean("product", String.class)).isEqualTo("made outside of the call");
			assertThat(isInCall()).isTrue();
			return true;
		});
		assertThat(this.context.getBean(Application.class).seen).containsExactly("inner false", "outer false");
	}

	@Test
	void prototypeIsOfTheCall() throws Exception {
		this.call.call(() -> {
			assertThat(this.context.getBean("prototype", Seen.class).inCall()).isTrue();
			assertThat(isInCall()).isTrue();
			return true;
		});
	}

	@Test
	void creationThatFailsHarmsNobodyElse() throws Exception {
		this.call.call(() -> {
			assertThatExceptionOfType(BeanCreationException.class).isThrownBy(() -> this.context.getBean("failing"));
			return true;
		});
		assertThat(isInCall()).isFalse();
		this.call.call(() -> {
			assertThat(isInCall()).isTrue();
			assertThat(this.context.getBean("outer", Seen.class).inCall()).isFalse();
			assertThat(isInCall()).isTrue();
			return true;
		});
	}

	record Seen(boolean inCall) {
	}

	@Lazy
	@Configuration(proxyBeanMethods = false)
	static class Application {

		private final List<String> seen = new ArrayList<>();

		@Bean
		static SingletonCreation singletonCreation() {
			return new SingletonCreation();
		}

		private Seen see(String name) {
			Seen now = new Seen(CallScope.current() != null);
			this.seen.add(name + " " + now.inCall());
			return now;
		}

		@Bean
		Seen inner() {
			return see("inner");
		}

		@Bean
		Seen outer(@Qualifier("inner") Seen inner) {
			return see("outer");
		}

		@Bean
		@Scope("prototype")
		Seen prototype() {
			return see("prototype");
		}

		@Bean
		Seen failing() {
			throw new IllegalStateException("not today");
		}

		@Bean
		Product product() {
			return new Product();
		}

	}

	static final class Product implements FactoryBean<String>, InitializingBean {

		private String made = "not yet";

		@Override
		public void afterPropertiesSet() {
			this.made = (CallScope.current() != null) ? "made in the call" : "made outside of the call";
		}

		@Override
		public String getObject() {
			return this.made;
		}

		@Override
		public Class<?> getObjectType() {
			return String.class;
		}

	}

}
