package io.github.grpcresilience.boot4;

import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.grpc.client.ChannelBuilderOptions;
import org.springframework.grpc.client.GrpcChannelFactory;

import io.github.grpcresilience.GrpcResilience;

/**
 * Adds our interceptor to each channel, innermost: inside of the channel's default
 * deadline, which so wins over ours, and of observation, which so sees one call, whatever
 * the number of its attempts. Only what makes a channel knows its name and can place it
 * there.
 */
final class ChannelFactories implements BeanPostProcessor, MethodInterceptor {

	private final ObjectProvider<GrpcResilience> resilience;

	private final Set<String> leftAlone = ConcurrentHashMap.newKeySet();

	ChannelFactories(ObjectProvider<GrpcResilience> resilience) {
		this.resilience = resilience;
	}

	/**
	 * Names of the factories that cannot be given an interceptor.
	 */
	Set<String> leftAlone() {
		return Set.copyOf(this.leftAlone);
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String name) {
		if (!(bean instanceof GrpcChannelFactory)) {
			return bean;
		}
		if (Modifier.isFinal(bean.getClass().getModifiers())) {
			this.leftAlone.add(name);
			return bean;
		}
		ProxyFactory factory = new ProxyFactory(bean);
		factory.setProxyTargetClass(true);
		factory.addAdvice(this);
		return factory.getProxy(bean.getClass().getClassLoader());
	}

	@Override
	public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		Object[] arguments = invocation.getArguments();
		if (!invocation.getMethod().getName().equals("createChannel")
				|| !(invocation.getThis() instanceof GrpcChannelFactory factory)) {
			return invocation.proceed();
		}
		ChannelBuilderOptions options = (arguments.length > 1) ? (ChannelBuilderOptions) arguments[1]
				: ChannelBuilderOptions.defaults();
		String client = (String) arguments[0];
		ManagedChannel channel = factory.createChannel(client, protect(client, options));
		this.resilience.getObject().learn(client, channel);
		return channel;
	}

	/**
	 * One factory may ask another, which is ours too.
	 */
	private ChannelBuilderOptions protect(String client, ChannelBuilderOptions options) {
		ClientInterceptor own = this.resilience.getObject().client(client);
		if (options.interceptors().stream().anyMatch((other) -> isOf(own, other))) {
			return options;
		}
		List<ClientInterceptor> interceptors = new ArrayList<>(options.interceptors());
		interceptors.add(new Innermost(own));
		return options.withInterceptors(interceptors);
	}

	private static boolean isOf(ClientInterceptor own, ClientInterceptor other) {
		return other instanceof Innermost innermost && innermost.delegate().equals(own);
	}

}
