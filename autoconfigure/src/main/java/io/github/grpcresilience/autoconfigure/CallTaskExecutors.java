package io.github.grpcresilience.autoconfigure;

import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.function.SingletonSupplier;

import io.github.grpcresilience.GrpcResilience;
import io.github.grpcresilience.cancel.CallTasks;

/**
 * Gives Spring's executors and schedulers a decorator that hands calls on, around the one
 * that they have. Before they start: afterwards some take none.
 */
final class CallTaskExecutors implements BeanPostProcessor {

	private final Supplier<CallTasks> tasks;

	private final ObjectProvider<BoundProperties> properties;

	CallTaskExecutors(ObjectProvider<GrpcResilience> resilience, ObjectProvider<BoundProperties> properties) {
		// Not before somebody submits a task: its parts may need an executor.
		this.tasks = SingletonSupplier.of(() -> resilience.getObject().tasks())::obtain;
		this.properties = properties;
	}

	/**
	 * For executors that are made by Spring Boot's builders and are no beans.
	 */
	TaskDecorator decorator() {
		return new CallTaskDecorator(this.tasks, null, () -> null);
	}

	@Override
	public Object postProcessBeforeInitialization(Object bean, String beanName) {
		if (bean instanceof ThreadPoolTaskExecutor executor && isCovered(beanName)) {
			decorate(bean, () -> poolOf(executor), executor::setTaskDecorator);
		}
		else if (bean instanceof ThreadPoolTaskScheduler scheduler && isCovered(beanName)) {
			decorate(bean, () -> null, scheduler::setTaskDecorator);
		}
		else if (bean instanceof SimpleAsyncTaskExecutor executor && isCovered(beanName)) {
			decorate(bean, () -> null, executor::setTaskDecorator);
		}
		return bean;
	}

	private boolean isCovered(String beanName) {
		return !this.properties.getObject().properties().cancellation().executors().exemptBeans().contains(beanName);
	}

	private void decorate(Object executor, Supplier<@Nullable ThreadPoolExecutor> pool,
			Consumer<TaskDecorator> setter) {
		// They have setters only.
		Object own = new DirectFieldAccessor(executor).getPropertyValue("taskDecorator");
		TaskDecorator inner = (own instanceof CallTaskDecorator) ? null : (TaskDecorator) own;
		setter.accept(new CallTaskDecorator(this.tasks, inner, pool));
	}

	private static @Nullable ThreadPoolExecutor poolOf(ThreadPoolTaskExecutor executor) {
		try {
			return executor.getThreadPoolExecutor();
		}
		catch (IllegalStateException ex) {
			return null; // not started
		}
	}

}
