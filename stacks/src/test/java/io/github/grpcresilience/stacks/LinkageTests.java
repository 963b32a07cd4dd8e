package io.github.grpcresilience.stacks;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * One jar runs on both stacks, compiled against one of them: whatever it refers to has to
 * be there on the other too, or it fails when that line is reached.
 */
class LinkageTests {

	@Test
	void everythingThatOurClassesReferToIsThere() throws IOException {
		Linkage linkage = new Linkage(getClass().getClassLoader());
		Resource[] classes = new PathMatchingResourcePatternResolver()
			.getResources("classpath*:io/github/grpcresilience/**/*.class");
		Set<String> checked = Stream.of(classes)
			.filter((resource) -> !isOfTests(resource) && !isOfOtherStack(resource))
			.map((resource) -> check(resource, linkage))
			.collect(Collectors.toSet());
		assertThat(checked).hasSizeGreaterThan(400);
		assertThat(linkage.broken()).isEmpty();
	}

	/**
	 * As when a class stops being a collection of its elements, which the JVM notices
	 * only when somebody counts them.
	 */
	@Test
	void noticesWhatIsPassedOnAsATypeThatItIsNot() throws IOException {
		ClassWriter broken = new ClassWriter(ClassWriter.COMPUTE_MAXS);
		broken.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, Type.getInternalName(LinkageTests.class), null,
				"java/lang/Object", null);
		MethodVisitor method = broken.visitMethod(Opcodes.ACC_STATIC, "count", "(Ljava/net/URI;)I", null, null);
		method.visitVarInsn(Opcodes.ALOAD, 0);
		method.visitMethodInsn(Opcodes.INVOKEINTERFACE, "java/util/Collection", "size", "()I", true);
		method.visitInsn(Opcodes.IRETURN);
		method.visitMaxs(0, 0);
		method.visitEnd();
		Linkage linkage = new Linkage(getClass().getClassLoader());
		linkage.check(new ByteArrayInputStream(broken.toByteArray()));
		assertThat(linkage.broken()).singleElement(InstanceOfAssertFactories.STRING)
			.contains("count")
			.contains("java/util/Collection");
	}

	@Test
	void noticesMethodsThatAreGone() throws IOException {
		ClassWriter broken = new ClassWriter(ClassWriter.COMPUTE_MAXS);
		broken.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, Type.getInternalName(LinkageTests.class), null,
				"java/lang/Object", null);
		MethodVisitor method = broken.visitMethod(Opcodes.ACC_STATIC, "call", "()V", null, null);
		method.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/System", "gone", "()V", false);
		method.visitInsn(Opcodes.RETURN);
		method.visitMaxs(0, 0);
		method.visitEnd();
		Linkage linkage = new Linkage(getClass().getClassLoader());
		linkage.check(new ByteArrayInputStream(broken.toByteArray()));
		assertThat(linkage.broken()).containsExactly(getClass().getName() + " needs java/lang/System.gone()V");
	}

	private static boolean isOfTests(Resource resource) {
		return resource.toString().contains("/stacks/");
	}

	private static boolean isOfOtherStack(Resource resource) {
		return Stack.OTHERS_GLUE.matcher(String.valueOf(resource.getFilename())).matches();
	}

	private static String check(Resource resource, Linkage linkage) {
		try (InputStream bytes = resource.getInputStream()) {
			linkage.check(bytes);
			return resource.toString();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
