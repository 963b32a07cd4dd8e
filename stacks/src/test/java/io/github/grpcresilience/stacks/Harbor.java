package io.github.grpcresilience.stacks;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

import io.grpc.Channel;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.ContextClosedEvent;

/**
 * A service that notes what happens when it ends. One of its calls waits, and then needs
 * another service.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import(ServerPort.class)
class Harbor {

	@Bean
	Log log() {
		return new Log();
	}

	@Bean
	ServedShop shop(ApplicationContext application, Log log) {
		Channel next = Stack.channel(application, "next");
		return new ServedShop((request) -> switch (request) {
			case "wait" -> {
				log.entered.countDown();
				log.release.await();
				yield Shop.call(next, Shop.REMAINING, "");
			}
			case "hop" -> Shop.call(next, Shop.REMAINING, "");
			default -> request;
		});
	}

	@Bean
	ApplicationListener<ContextClosedEvent> closed(Log log) {
		return (event) -> log.events.add("closed");
	}

	@Bean
	ApplicationListener<AvailabilityChangeEvent<ReadinessState>> readiness(Log log) {
		return new Readiness(log);
	}

	/**
	 * A class, since what a listener is for is read from its type.
	 */
	private record Readiness(Log log) implements ApplicationListener<AvailabilityChangeEvent<ReadinessState>> {

		@Override
		public void onApplicationEvent(AvailabilityChangeEvent<ReadinessState> event) {
			if (event.getState() == ReadinessState.REFUSING_TRAFFIC) {
				this.log.events.add("refusing");
			}
		}

	}

	/**
	 * What happened, in its order; and what holds a call.
	 */
	static final class Log implements DisposableBean {

		final Queue<String> events = new ConcurrentLinkedQueue<>();

		final CountDownLatch entered = new CountDownLatch(1);

		final CountDownLatch release = new CountDownLatch(1);

		@Override
		public void destroy() {
			this.events.add("destroyed");
		}

	}

}
