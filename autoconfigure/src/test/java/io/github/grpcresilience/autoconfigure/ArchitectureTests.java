package io.github.grpcresilience.autoconfigure;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/**
 * What lets one jar serve Spring Boot 3.5 and 4.
 */
@AnalyzeClasses(packages = "io.github.grpcresilience.autoconfigure",
		importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTests {

	@ArchTest
	final ArchRule netDevhStaysInItsGlue = noClasses().that()
		.haveNameNotMatching(".*\\.NetDevh.*")
		.should()
		.dependOnClassesThat()
		.resideInAPackage("net.devh..");

	@ArchTest
	final ArchRule nothingThatMovesInSpringBoot4 = noClasses().should()
		.dependOnClassesThat()
		.haveNameMatching(".*\\.actuate\\.health\\..*|.*EnvironmentPostProcessor|.*MetricsAutoConfiguration"
				+ "|com\\.fasterxml\\.jackson\\..*|.*\\.boot\\.autoconfigure\\.web\\..*");

	@ArchTest
	final ArchRule onlyItsEntryPointsArePublic = classes().that()
		.areTopLevelClasses()
		.and()
		.arePublic()
		.should()
		.haveSimpleNameStartingWith("GrpcResilience");

}
