package io.github.grpcresilience.autoconfigure;

import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

import io.github.grpcresilience.autoconfigure.properties.OnGrpcResilienceEnabled;
import io.github.grpcresilience.error.RequestCheck;
import io.github.grpcresilience.error.protovalidate.ProtovalidateCheck;

/**
 * The check of requests by protovalidate.
 */
@AutoConfiguration(before = GrpcResilienceAutoConfiguration.class)
@ConditionalOnClass(name = "build.buf.protovalidate.Validator")
@ConditionalOnProperty(name = "grpc.resilience.errors.validate-requests", matchIfMissing = true)
@Conditional(OnGrpcResilienceEnabled.class)
public final class RequestCheckAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean(RequestCheck.class)
	ProtovalidateCheck grpcResilienceProtovalidateCheck(ObjectProvider<Validator> validators) {
		return new ProtovalidateCheck(validators.getIfUnique(() -> ValidatorFactory.newBuilder().build()));
	}

}
