package io.github.grpcresilience;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Which package may know which. The lists name the packages of the whole design, so that
 * one which is yet to come is bound from its first class on.
 */
class ArchitectureTests {

	private static final String FACADE = "io.github.grpcresilience";

	/** What of a room nobody outside of the library shall use. */
	private static final String INTERNAL = FACADE + ".internal";

	private static final List<String> KERNEL = List.of("policy", "event", "status", "time", "method", "call");

	private static final List<String> FEATURES = List.of("deadline", "cancel", "error", "attempt", "gate", "admission",
			"connection", "drain", "stream");

	/** From where the facade lies, which is nowhere near the tests. */
	private static final JavaClasses CORE = new ClassFileImporter()
		.importUrl(GrpcResilience.class.getProtectionDomain().getCodeSource().getLocation());

	@Test
	void everyPackageHasItsRoom() {
		classes().should()
			.resideInAnyPackage(Stream
				.concat(Stream.of(FACADE), Stream.of(patterns(KERNEL), patterns(FEATURES)).flatMap(Stream::of))
				.toArray(String[]::new))
			.because("a package that these tests do not know is bound by none of them")
			.check(CORE);
	}

	@ParameterizedTest
	@FieldSource("KERNEL")
	void kernelKnowsNoFeatureAndNotTheFacade(String room) {
		noClasses().that()
			.resideInAnyPackage(patterns(List.of(room)))
			.should()
			.dependOnClassesThat(resideInAnyPackage(patterns(FEATURES)).or(resideInAPackage(FACADE)))
			.check(CORE);
	}

	@Test
	void featuresDoNotKnowTheFacade() {
		noClasses().that()
			.resideInAnyPackage(patterns(FEATURES))
			.should()
			.dependOnClassesThat()
			.resideInAPackage(FACADE)
			.check(CORE);
	}

	@Test
	void featuresDoNotKnowOneAnother() {
		slices().assignedFrom(new Feature()).should().notDependOnEachOther().check(CORE);
	}

	@Test
	void roomsFormNoCycle() {
		slices().assignedFrom(new Room()).should().beFreeOfCycles().check(CORE);
	}

	@Test
	void nothingKnowsSpring() {
		noClasses().should().dependOnClassesThat().resideInAPackage("org.springframework..").check(CORE);
	}

	@Test
	void nothingLogs() {
		noClasses().that(DescribedPredicate.not(JavaClass.Predicates.simpleName("CallDataSource")))
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("java.util.logging..", "org.slf4j..", "org.apache.commons.logging..",
					"org.apache.logging..", "ch.qos.logback..")
			.orShould()
			.accessField(System.class, "out")
			.orShould()
			.accessField(System.class, "err")
			.because(
					"core emits events; one reporter in autoconfigure writes the log; JDBC's own interface names a logger")
			.check(CORE);
	}

	@Test
	void thirdPartiesAreKnownOnlyInPackagesOfTheirOwn() {
		// An adapter lives one level below its room, such as .event.micrometer.
		classes().that(DescribedPredicate.not(resideInAnyPackage(adapters())))
			.should()
			.onlyDependOnClassesThat()
			.resideInAnyPackage("java..", "javax.sql..", "io.grpc..", "com.google.common..",
					"com.google.errorprone.annotations..", "com.google.protobuf..", "com.google.rpc..",
					"org.jspecify..", FACADE + "..")
			.check(CORE);
	}

	@Test
	void deadlinesUseNoReflectionAndNoPatterns() {
		noClasses().that()
			.resideInAPackage(INTERNAL + ".deadline..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("java.lang.reflect..", "java.util.regex..")
			.because("they are on the path of every call")
			.check(CORE);
	}

	@Test
	void timerTakesNoLock() {
		noMethods().that()
			.areDeclaredInClassesThat()
			.resideInAPackage(INTERNAL + ".time..")
			.should()
			.haveModifier(JavaModifier.SYNCHRONIZED)
			.check(CORE);
		noClasses().that()
			.resideInAPackage(INTERNAL + ".time..")
			.should()
			.dependOnClassesThat(JavaClass.Predicates.assignableTo(java.util.concurrent.locks.Lock.class)
				.or(JavaClass.Predicates.assignableTo(java.util.concurrent.locks.ReadWriteLock.class))
				.or(JavaClass.Predicates.assignableTo(java.util.concurrent.locks.StampedLock.class)))
			.check(CORE);
	}

	@Test
	void everyPackageIsNullMarked() {
		Set<String> packages = new TreeSet<>();
		Set<String> unmarked = new TreeSet<>();
		for (JavaClass type : CORE) {
			JavaPackage own = type.getPackage();
			packages.add(own.getName());
			if (!own.isAnnotatedWith(NullMarked.class)) {
				unmarked.add(own.getName());
			}
		}
		assertThat(packages).contains(FACADE, FACADE + ".policy", INTERNAL + ".deadline");
		assertThat(unmarked).isEmpty();
	}

	private static String[] patterns(List<String> rooms) {
		return patterns(rooms, "..");
	}

	private static String[] adapters() {
		return Stream.of(KERNEL, FEATURES)
			.map((rooms) -> patterns(rooms, ".*.."))
			.flatMap(Stream::of)
			.toArray(String[]::new);
	}

	private static String[] patterns(List<String> rooms, String rest) {
		return rooms.stream()
			.flatMap((room) -> Stream.of(FACADE, INTERNAL).map((side) -> side + "." + room + rest))
			.toArray(String[]::new);
	}

	private static final class Feature implements SliceAssignment {

		@Override
		public SliceIdentifier getIdentifierOf(JavaClass type) {
			return FEATURES.stream()
				.filter((feature) -> resideInAnyPackage(patterns(List.of(feature))).test(type))
				.findFirst()
				.map(SliceIdentifier::of)
				.orElse(SliceIdentifier.ignore());
		}

		@Override
		public String getDescription() {
			return "features";
		}

	}

	private static final class Room implements SliceAssignment {

		@Override
		public SliceIdentifier getIdentifierOf(JavaClass type) {
			return type.getPackageName().startsWith(FACADE)
					? SliceIdentifier.of(type.getPackageName().replace(INTERNAL, FACADE)) : SliceIdentifier.ignore();
		}

		@Override
		public String getDescription() {
			return "packages";
		}

	}

}
