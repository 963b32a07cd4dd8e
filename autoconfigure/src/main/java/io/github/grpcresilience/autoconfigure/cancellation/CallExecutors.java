package io.github.grpcresilience.autoconfigure.cancellation;

import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.concurrent.ConcurrentTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;

import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.ExecutorWork;
import io.github.grpcresilience.autoconfigure.GrpcResilienceProperties.TaskOwner;
import io.github.grpcresilience.autoconfigure.properties.BoundProperties;
import io.github.grpcresilience.internal.cancel.CallTasks;
import io.github.grpcresilience.policy.Mode;

/**
 * Adds {@link CallTaskDecorator} to every executor bean that takes a decorator, without
 * losing the one that it has. Schedulers are left alone: whatever is scheduled belongs to
 * the application.
 */
final class CallExecutors implements BeanPostProcessor, PriorityOrdered {

	/** Executors have a setter for it and nothing to ask. */
	private static final String DECORATOR = "taskDecorator";

	private final ObjectProvider<CallTasks> tasks;

	private final ObjectProvider<BoundProperties> properties;

	CallExecutors(ObjectProvider<CallTasks> tasks, ObjectProvider<BoundProperties> properties) {
		this.tasks = tasks;
		this.properties = properties;
	}

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public Object postProcessBeforeInitialization(Object bean, String beanName) {
		if (bean instanceof TaskScheduler) {
			return bean;
		}
		if (bean instanceof ThreadPoolTaskExecutor executor) {
			decorate(executor, beanName, executor::setTaskDecorator, executor::getThreadPoolExecutor);
		}
		else if (bean instanceof SimpleAsyncTaskExecutor executor) {
			decorate(executor, beanName, executor::setTaskDecorator, () -> null);
		}
		else if (bean instanceof ConcurrentTaskExecutor executor) {
			decorate(executor, beanName, executor::setTaskDecorator, () -> null);
		}
		return bean;
	}

	private void decorate(Object executor, String beanName, Consumer<TaskDecorator> setter,
			Supplier<@Nullable ThreadPoolExecutor> pool) {
		GrpcResilienceProperties all = this.properties.getObject().properties();
		ExecutorWork settings = all.cancellation().executors();
		DirectFieldAccessor fields = new DirectFieldAccessor(executor);
		if (all.mode() != Mode.ENFORCE || settings.exemptBeans().contains(beanName)
				|| !fields.isReadableProperty(DECORATOR)) {
			return;
		}
		TaskDecorator decorator = (TaskDecorator) fields.getPropertyValue(DECORATOR);
		if (!(decorator instanceof CallTaskDecorator)) {
			setter.accept(new CallTaskDecorator(this.tasks, (decorator != null) ? decorator : (task) -> task,
					settings.beans().get(beanName) == TaskOwner.CALL, pool));
		}
	}

}
