package com.example.consumer;

import com.google.protobuf.StringValue;
import io.github.grpcresilience.Budget;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCalls;

import org.springframework.stereotype.Service;

/**
 * Written by hand, so that the project needs no protoc.
 */
@Service
public class EchoService implements BindableService {

	static final MethodDescriptor<StringValue, StringValue> ECHO = MethodDescriptor.<StringValue, StringValue>newBuilder()
		.setType(MethodDescriptor.MethodType.UNARY)
		.setFullMethodName("example.v1.Echo/Echo")
		.setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
		.setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
		.build();

	@Override
	public ServerServiceDefinition bindService() {
		return ServerServiceDefinition.builder("example.v1.Echo")
			.addMethod(ECHO, ServerCalls.asyncUnaryCall((request, responses) -> {
				String budget = Budget.remaining().map((left) -> "within a budget").orElse("without a budget");
				responses.onNext(StringValue.of(request.getValue() + " " + budget));
				responses.onCompleted();
			}))
			.build();
	}

}
