package io.github.grpcresilience.autoconfigure;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.core.task.TaskDecorator;

import io.github.grpcresilience.GrpcResilience;

/**
 * Tasks in executors that see the call that submits them, and end with it.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class,
		beforeName = { "org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration",
				"org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration" })
@ConditionalOnBean({ GrpcResilience.class, BoundProperties.class })
@ConditionalOnProperty(name = "grpc.resilience.cancellation.executors.enabled", matchIfMissing = true)
final class CallTaskAutoConfiguration {

	@Bean
	static CallTaskExecutors grpcResilienceTaskExecutors(ObjectProvider<GrpcResilience> resilience,
			ObjectProvider<BoundProperties> properties) {
		return new CallTaskExecutors(resilience, properties);
	}

	/**
	 * Spring Boot's builders take a decorator only if it is the only one, so the
	 * application's own comes first; beans get ours around it anyway.
	 */
	@Bean
	@ConditionalOnMissingBean(TaskDecorator.class)
	TaskDecorator grpcResilienceTaskDecorator(CallTaskExecutors executors) {
		return executors.decorator();
	}

}
