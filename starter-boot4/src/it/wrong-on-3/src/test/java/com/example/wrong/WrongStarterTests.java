package com.example.wrong;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * The starter that is for the other Spring Boot.
 */
@ExtendWith(OutputCaptureExtension.class)
class WrongStarterTests {

	@Test
	void isNamedWithTheRightOne(CapturedOutput output) {
		assertThatThrownBy(() -> SpringApplication.run(Application.class)).isNotNull();
		assertThat(output).contains("APPLICATION FAILED TO START")
			.contains(": depend on " + System.getProperty("expected.starter") + " instead");
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

	}

}
