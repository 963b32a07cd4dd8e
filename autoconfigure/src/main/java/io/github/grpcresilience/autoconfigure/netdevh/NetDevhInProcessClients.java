package io.github.grpcresilience.autoconfigure.netdevh;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import net.devh.boot.grpc.client.channelfactory.GrpcChannelFactory;
import net.devh.boot.grpc.client.channelfactory.InProcessOrAlternativeChannelFactory;
import net.devh.boot.grpc.client.config.GrpcChannelProperties;
import net.devh.boot.grpc.client.config.GrpcChannelsProperties;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;

import io.github.grpcresilience.GrpcResilience;

/**
 * Gives clients of in-process servers their names, of which net.devh's factory tells the
 * channel nothing, and which share a channel (decision 5).
 */
final class NetDevhInProcessClients implements BeanPostProcessor, MethodInterceptor {

	private static final CallOptions.Key<Boolean> NAMED = CallOptions.Key
		.createWithDefault("grpc-resilience-client-named", false);

	private final ObjectProvider<GrpcResilience> resilience;

	private final ObjectProvider<GrpcChannelsProperties> channels;

	NetDevhInProcessClients(ObjectProvider<GrpcResilience> resilience,
			ObjectProvider<GrpcChannelsProperties> channels) {
		this.resilience = resilience;
		this.channels = channels;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		if (!(bean instanceof InProcessOrAlternativeChannelFactory) || !hasInProcessClients()) {
			return bean;
		}
		ProxyFactory factory = new ProxyFactory(bean);
		factory.setProxyTargetClass(true);
		factory.addAdvice(this);
		return factory.getProxy(bean.getClass().getClassLoader());
	}

	@Override
	@SuppressWarnings("unchecked")
	public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		Object[] arguments = invocation.getArguments();
		if (!invocation.getMethod().getName().equals("createChannel") || !isInProcess((String) arguments[0])) {
			return invocation.proceed();
		}
		List<ClientInterceptor> interceptors = new ArrayList<>();
		if (arguments.length > 1) {
			interceptors.addAll((List<ClientInterceptor>) arguments[1]);
		}
		interceptors.add(named(this.resilience.getObject().client((String) arguments[0])));
		boolean sorted = arguments.length > 2 && (boolean) arguments[2];
		GrpcChannelFactory factory = (GrpcChannelFactory) invocation.getThis();
		return (factory != null) ? factory.createChannel((String) arguments[0], interceptors, sorted) : null;
	}

	/**
	 * Whether there is anything to name: without, the bean stays what it is.
	 */
	private boolean hasInProcessClients() {
		return this.channels.getObject().getClient().values().stream().anyMatch(NetDevhInProcessClients::isInProcess);
	}

	private boolean isInProcess(String client) {
		return isInProcess(this.channels.getObject().getChannel(client));
	}

	private static boolean isInProcess(GrpcChannelProperties client) {
		URI address = client.getAddress();
		return address != null && "in-process".equals(address.getScheme());
	}

	private static ClientInterceptor named(ClientInterceptor own) {
		return new ClientInterceptor() {

			@Override
			public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
					CallOptions options, Channel next) {
				return own.interceptCall(method, options.withOption(NAMED, true), next);
			}

		};
	}

	/**
	 * Stands at the channel, for clients that were made before beans are looked at: those
	 * of constructors.
	 */
	static ClientInterceptor unlessNamed(ClientInterceptor ofServer) {
		return new ClientInterceptor() {

			@Override
			public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
					CallOptions options, Channel next) {
				return options.getOption(NAMED) ? next.newCall(method, options)
						: ofServer.interceptCall(method, options, next);
			}

		};
	}

}
