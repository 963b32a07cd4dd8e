package io.github.grpcresilience.autoconfigure;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.properties.HasModifiers;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

/**
 * What lets one jar serve Spring Boot 3.5 and 4, and who may know whom.
 */
@AnalyzeClasses(packages = "io.github.grpcresilience.autoconfigure",
		importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTests {

	private static final String BASE = "io.github.grpcresilience.autoconfigure";

	@ArchTest
	final ArchRule netDevhStaysInItsGlue = noClasses().that()
		.resideOutsideOfPackage(BASE + ".netdevh")
		.should()
		.dependOnClassesThat()
		.resideInAPackage("net.devh..");

	@ArchTest
	final ArchRule nothingThatMovesInSpringBoot4 = noClasses().should()
		.dependOnClassesThat()
		.haveNameMatching(".*\\.actuate\\.health\\..*|.*EnvironmentPostProcessor|.*MetricsAutoConfiguration"
				+ "|com\\.fasterxml\\.jackson\\..*|.*\\.boot\\.autoconfigure\\.web\\..*");

	@ArchTest
	final ArchRule roomsDoNotKnowOneAnother = slices().matching(BASE + ".(*)..")
		.should()
		.notDependOnEachOther()
		.ignoreDependency(DescribedPredicate.alwaysTrue(), resideInAnyPackage(BASE + ".properties", BASE + ".stack"))
		.ignoreDependency(resideInAPackage(BASE + ".edge.."), resideInAPackage(BASE + ".error"));

	@ArchTest
	final ArchRule onlyItsEntryPointsArePublic = classes().that()
		.resideInAPackage(BASE)
		.and()
		.areTopLevelClasses()
		.and()
		.arePublic()
		.should()
		.haveSimpleNameStartingWith("GrpcResilience")
		.orShould()
		.haveSimpleNameEndingWith("AutoConfiguration")
		.orShould(beOfUseToAnotherRoom());

	@ArchTest
	final ArchRule roomsShowWhatOthersNeed = classes().that()
		.resideOutsideOfPackage(BASE)
		.and()
		.areTopLevelClasses()
		.and()
		.arePublic()
		.and()
		.haveSimpleNameNotEndingWith("AutoConfiguration")
		.and()
		.haveSimpleNameNotEndingWith("FailureAnalyzer")
		.should(beOfUseToAnotherRoom());

	private static ArchCondition<JavaClass> beOfUseToAnotherRoom() {
		return new ArchCondition<>("be of use to another room") {

			@Override
			public void check(JavaClass type, ConditionEvents events) {
				boolean used = type.getDirectDependenciesToSelf()
					.stream()
					.anyMatch((use) -> !use.getOriginClass().getPackageName().equals(type.getPackageName()));
				boolean returned = type.getMethodsWithReturnTypeOfSelf()
					.stream()
					.anyMatch((method) -> isPublic(method) && isPublic(method.getOwner()));
				events.add(new SimpleConditionEvent(type, used || returned,
						type.getName() + " is public, and nobody needs it"));
			}

		};
	}

	private static boolean isPublic(HasModifiers element) {
		return element.getModifiers().contains(JavaModifier.PUBLIC);
	}

}
