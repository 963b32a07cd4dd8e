#!/bin/sh
# Spring Boot 4.1: the gRPC server's starter makes asking for an AsyncTaskExecutor ambiguous
#
# Seen with Spring Boot 4.1.2 (Spring gRPC 1.1.2), Java 17.
#
# An application that takes Spring's AsyncTaskExecutor by its type starts: there is one
# such bean, applicationTaskExecutor. With spring-boot-starter-grpc-server among its
# dependencies it does not start any more, although it has not changed and schedules
# nothing: the starter's schedule of health checks defines a taskScheduler bean, which is an
# AsyncTaskExecutor as well. It does so without actuator, and also where
# spring.grpc.server.health.enabled is false; only spring.grpc.server.health.schedule.enabled
# takes it away. The failure names two beans and not the starter. Naming the bean that is
# meant helps.
#
# Output seen:
#   without the starter: applicationTaskExecutor
#   with it:             NoUniqueBeanDefinitionException applicationTaskExecutor,taskScheduler
#   health off:          NoUniqueBeanDefinitionException applicationTaskExecutor,taskScheduler
#   its schedule off:    applicationTaskExecutor
#
# Exit: 0 while that holds, 1 if it has changed, 2 if it could not be tried.

set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir -p src/main/java

cat > src/main/java/App.java <<'JAVA'
import java.util.Arrays;

import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.task.AsyncTaskExecutor;

@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class App {

	public static void main(String[] args) {
		try (ConfigurableApplicationContext context = SpringApplication.run(new Class<?>[] { App.class, Served.class },
				args)) {
			String[] names = context.getBeanNamesForType(AsyncTaskExecutor.class);
			Arrays.sort(names);
			try {
				context.getBean(AsyncTaskExecutor.class);
				System.out.println("RESULT " + String.join(",", names));
			}
			catch (NoUniqueBeanDefinitionException ex) {
				System.out.println("RESULT NoUniqueBeanDefinitionException " + String.join(",", names));
			}
		}
	}

}
JAVA

cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
	<modelVersion>4.0.0</modelVersion>
	<groupId>finding</groupId>
	<artifactId>finding</artifactId>
	<version>1</version>
	<properties>
		<maven.compiler.release>17</maven.compiler.release>
		<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
	</properties>
	<dependencyManagement>
		<dependencies>
			<dependency>
				<groupId>io.netty</groupId>
				<artifactId>netty-bom</artifactId>
				<version>4.2.18.Final</version>
				<type>pom</type>
				<scope>import</scope>
			</dependency>
			<dependency>
				<groupId>org.springframework.boot</groupId>
				<artifactId>spring-boot-dependencies</artifactId>
				<version>4.1.2</version>
				<type>pom</type>
				<scope>import</scope>
			</dependency>
		</dependencies>
	</dependencyManagement>
	<dependencies>
		<dependency>
			<groupId>org.springframework.boot</groupId>
			<artifactId>spring-boot-starter</artifactId>
		</dependency>
		<!-- STARTER -->
	</dependencies>
	<build>
		<plugins>
			<plugin>
				<groupId>org.apache.maven.plugins</groupId>
				<artifactId>maven-compiler-plugin</artifactId>
				<version>3.16.0</version>
			</plugin>
			<plugin>
				<groupId>org.apache.maven.plugins</groupId>
				<artifactId>maven-dependency-plugin</artifactId>
				<version>3.11.0</version>
			</plugin>
		</plugins>
	</build>
</project>
XML

build() {
	mvn -B -q compile dependency:build-classpath -Dmdep.outputFile=classpath.txt >build.log 2>&1 ||
		{ tail -n 5 build.log; exit 2; }
}

run() {
	java -cp "target/classes:$(cat classpath.txt)" App --spring.main.banner-mode=off --spring.grpc.server.port=0 "$@" 2>&1 |
		sed -n 's/^RESULT //p'
}

cat > src/main/java/Served.java <<'JAVA'
public class Served {
}
JAVA
build
without=$(run)

sed 's|<!-- STARTER -->|<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-grpc-server</artifactId></dependency>|' \
	pom.xml > with.xml && mv with.xml pom.xml
cat > src/main/java/Served.java <<'JAVA'
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
public class Served {

	@Bean
	BindableService service() {
		return () -> ServerServiceDefinition.builder("shop.v1.Shop").build();
	}

}
JAVA
build
with=$(run)
off=$(run --spring.grpc.server.health.enabled=false)
unscheduled=$(run --spring.grpc.server.health.schedule.enabled=false)

echo "without the starter: $without"
echo "with it:             $with"
echo "health off:          $off"
echo "its schedule off:    $unscheduled"
[ -n "$without" ] && [ -n "$with" ] && [ -n "$off" ] && [ -n "$unscheduled" ] || exit 2
two="NoUniqueBeanDefinitionException applicationTaskExecutor,taskScheduler"
[ "$without" = "applicationTaskExecutor" ] && [ "$unscheduled" = "applicationTaskExecutor" ] &&
	[ "$with" = "$two" ] && [ "$off" = "$two" ]
