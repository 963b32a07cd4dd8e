package io.github.grpcresilience.autoconfigure;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.InstantiationAwareBeanPostProcessor;

import io.github.grpcresilience.internal.call.CallScope;

/**
 * Takes singletons that a call needs first out of the call while they are created: what a
 * lazy bean does to come into being, such as a migration, is for everybody, and must not
 * end with whoever was first. A creation that fails leaves the rest of the callback
 * without its call, which harms nobody.
 */
final class SingletonCreation implements InstantiationAwareBeanPostProcessor, BeanFactoryAware {

	private static final ThreadLocal<@Nullable Creation> CURRENT = new ThreadLocal<>();

	private @Nullable ConfigurableListableBeanFactory beans;

	@Override
	public void setBeanFactory(BeanFactory beans) {
		this.beans = (beans instanceof ConfigurableListableBeanFactory known) ? known : null;
	}

	@Override
	public @Nullable Object postProcessBeforeInstantiation(Class<?> type, String beanName) {
		CallScope scope = CallScope.current();
		if (scope != null && isSingleton(beanName)) {
			CURRENT.set(new Creation(beanName, scope));
			CallScope.leave(null);
		}
		return null;
	}

	/**
	 * As it is defined: asking a factory bean whether its product is one would create it.
	 */
	private boolean isSingleton(String beanName) {
		return this.beans != null && this.beans.containsBeanDefinition(beanName)
				&& this.beans.getMergedBeanDefinition(beanName).isSingleton();
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		Creation creation = CURRENT.get();
		if (creation != null && creation.beanName().equals(beanName) && CallScope.entered() == null) {
			CURRENT.set(null);
			CallScope.leave(creation.scope());
		}
		return bean;
	}

	private record Creation(String beanName, CallScope scope) {
	}

}
