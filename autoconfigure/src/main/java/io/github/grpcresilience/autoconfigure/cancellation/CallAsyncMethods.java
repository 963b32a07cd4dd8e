package io.github.grpcresilience.autoconfigure.cancellation;

import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.interceptor.AsyncExecutionInterceptor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.beans.factory.config.BeanPostProcessor;

/**
 * Puts {@link AsyncFutures} in front of what submits {@code @Async} methods, in the proxy
 * that Spring has made for them. Comes after Spring's own processor, since it has no
 * order.
 */
final class CallAsyncMethods implements BeanPostProcessor {

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (bean instanceof Advised proxy && !proxy.isFrozen()) {
			Advisor[] advisors = proxy.getAdvisors();
			for (int i = 0; i < advisors.length; i++) {
				if (advisors[i].getAdvice() instanceof AsyncExecutionInterceptor) {
					proxy.addAdvisor(i, new DefaultPointcutAdvisor(pointcut(advisors[i]), new AsyncFutures()));
					break;
				}
			}
		}
		return bean;
	}

	private static Pointcut pointcut(Advisor async) {
		return (async instanceof PointcutAdvisor known) ? known.getPointcut() : Pointcut.TRUE;
	}

}
