package io.github.grpcresilience.autoconfigure.cancellation;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.autoconfigure.GrpcResilienceAutoConfiguration;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.internal.cancel.CallTasks;

/**
 * Tasks in Spring's executors, some of which belong to their call.
 */
@AutoConfiguration(after = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = { "org.springframework.core.task.TaskDecorator",
		"org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor" })
@ConditionalOnBean({ GrpcResilience.class, BoundProperties.class })
@ConditionalOnProperty(name = "grpc.resilience.cancellation.executors.enabled", matchIfMissing = true)
public final class CallExecutorAutoConfiguration {

	private CallExecutorAutoConfiguration() {
	}

	@Bean
	static CallTasks grpcResilienceTasks(GrpcResilience resilience) {
		return new CallTasks(resilience.work().canceller());
	}

	/**
	 * Static and lazy, as it processes beans that come early.
	 */
	@Bean
	static CallExecutors grpcResilienceExecutors(ObjectProvider<CallTasks> tasks,
			ObjectProvider<BoundProperties> properties) {
		return new CallExecutors(tasks, properties);
	}

	@Bean
	@ConditionalOnClass(name = "org.springframework.aop.interceptor.AsyncExecutionInterceptor")
	static CallAsyncMethods grpcResilienceAsyncMethods() {
		return new CallAsyncMethods();
	}

}
