package io.github.grpcresilience.frameworks;

import java.util.concurrent.Callable;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Status;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How a call ends before its handler has answered it.
 */
enum End {

	DEADLINE {

		@Override
		void of(App app, String request, Callable<Boolean> busy) {
			assertThat(app.code(request, App.SHORT_MILLIS)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
			app.awaitIdle();
		}

	},

	LEAVING {

		@Override
		void of(App app, String request, Callable<Boolean> busy) {
			ListenableFuture<String> call = app.begin(request, App.LONG_MILLIS);
			App.soon().until(busy);
			assertThat(call.cancel(true)).isTrue();
			app.awaitIdle();
		}

	};

	/**
	 * Makes a call that ends this way, and waits for its handler.
	 * @param busy whether the handler is where a caller that leaves shall leave it
	 */
	abstract void of(App app, String request, Callable<Boolean> busy);

}
