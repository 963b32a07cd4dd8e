package io.github.grpcresilience.stacks;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Type;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.FieldInsnNode;
import org.objectweb.asm.tree.InvokeDynamicInsnNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;
import org.objectweb.asm.tree.TypeInsnNode;
import org.objectweb.asm.tree.analysis.Analyzer;
import org.objectweb.asm.tree.analysis.AnalyzerException;
import org.objectweb.asm.tree.analysis.BasicValue;
import org.objectweb.asm.tree.analysis.SimpleVerifier;

/**
 * Resolves what compiled classes refer to against the class path of the test, as the JVM
 * would on the first call.
 */
final class Linkage {

	private final ClassLoader loader;

	private final Set<String> broken = new TreeSet<>();

	Linkage(ClassLoader loader) {
		this.loader = loader;
	}

	/**
	 * What of a class cannot be linked, each with the class that needs it.
	 */
	Set<String> broken() {
		return this.broken;
	}

	void check(InputStream bytes) throws IOException {
		ClassNode node = new ClassNode();
		new ClassReader(bytes).accept(node, ClassReader.SKIP_DEBUG);
		Class<?> type = find(node.name);
		if (type == null) {
			report(node, "its own supertypes");
			return;
		}
		supertypes(node, type);
		for (MethodNode method : node.methods) {
			for (AbstractInsnNode instruction : method.instructions) {
				check(node, instruction);
			}
			verify(node, method);
		}
	}

	/**
	 * What a class inherits may ask more of it than it did.
	 */
	private void supertypes(ClassNode node, Class<?> type) {
		if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
			return;
		}
		try {
			Arrays.stream(type.getMethods())
				.filter((method) -> Modifier.isAbstract(method.getModifiers()))
				.forEach((method) -> report(node, "does not implement " + method));
		}
		catch (LinkageError ex) {
			report(node, ex.getMessage());
		}
	}

	private void check(ClassNode node, AbstractInsnNode instruction) {
		if (instruction instanceof MethodInsnNode call) {
			method(node, call.owner, call.name, call.desc, call.itf);
		}
		else if (instruction instanceof FieldInsnNode field) {
			field(node, field.owner, field.name);
		}
		else if (instruction instanceof TypeInsnNode named) {
			named(node, named.desc);
		}
		else if (instruction instanceof InvokeDynamicInsnNode dynamic) {
			for (Object argument : dynamic.bsmArgs) {
				if (argument instanceof Handle handle && handle.getDesc().startsWith("(")) {
					method(node, handle.getOwner(), handle.getName(), handle.getDesc(), handle.isInterface());
				}
			}
		}
	}

	private void named(ClassNode node, String name) {
		if (!name.startsWith("[") && find(name) == null) {
			report(node, name);
		}
	}

	private void field(ClassNode node, String owner, String name) {
		Class<?> type = find(owner);
		if (type == null || lineage(type).flatMap((each) -> Arrays.stream(each.getDeclaredFields()))
			.noneMatch((field) -> field.getName().equals(name))) {
			report(node, owner + "." + name);
		}
	}

	private void method(ClassNode node, String owner, String name, String descriptor, boolean ofInterface) {
		if (owner.startsWith("[") || owner.startsWith("java/lang/invoke/")) {
			return; // the JVM's own
		}
		Class<?> type = find(owner);
		if (type == null) {
			report(node, owner);
		}
		else if (type.isInterface() != ofInterface) {
			report(node, owner + " is " + (ofInterface ? "no interface" : "an interface"));
		}
		else {
			try {
				if (lineage(type).flatMap(Linkage::executables).noneMatch(is(name, descriptor))) {
					report(node, owner + "." + name + descriptor);
				}
			}
			catch (LinkageError ex) {
				report(node, owner + " is incomplete: " + ex.getMessage());
			}
		}
	}

	private static Predicate<Executable> is(String name, String descriptor) {
		return (executable) -> (executable instanceof java.lang.reflect.Method method)
				? method.getName().equals(name) && Type.getMethodDescriptor(method).equals(descriptor)
				: name.equals("<init>") && Type.getConstructorDescriptor((java.lang.reflect.Constructor<?>) executable)
					.equals(descriptor);
	}

	private static Stream<Executable> executables(Class<?> type) {
		return Stream.concat(Arrays.stream(type.getDeclaredMethods()), Arrays.stream(type.getDeclaredConstructors()));
	}

	/**
	 * A type and all that it inherits from; interfaces have Object's methods too.
	 */
	private static Stream<Class<?>> lineage(Class<?> type) {
		List<Class<?>> all = new ArrayList<>();
		for (Class<?> each = type; each != null; each = each.getSuperclass()) {
			all.add(each);
		}
		for (int i = 0; i < all.size(); i++) {
			all.addAll(Arrays.asList(all.get(i).getInterfaces()));
		}
		if (type.isInterface()) {
			all.add(Object.class);
		}
		return all.stream();
	}

	/**
	 * Finds what is passed on as a type that it no longer has: the JVM does not look at
	 * interfaces until one of their methods is called.
	 */
	private void verify(ClassNode node, MethodNode method) {
		try {
			new Analyzer<>(new Strict(node)).analyze(node.name, method);
		}
		catch (AnalyzerException ex) {
			report(node, method.name + ": " + ex.getMessage());
		}
		catch (TypeNotPresentException ex) {
			report(node, ex.typeName().replace('.', '/'));
		}
	}

	private @Nullable Class<?> find(String name) {
		try {
			return Class.forName(name.replace('/', '.'), false, this.loader);
		}
		catch (ClassNotFoundException | LinkageError ex) {
			return null;
		}
	}

	private void report(ClassNode node, String what) {
		this.broken.add(node.name.replace('/', '.') + " needs " + what);
	}

	/**
	 * Unlike the JVM's, does not let every object pass for every interface.
	 */
	private static final class Strict extends SimpleVerifier {

		Strict(ClassNode node) {
			super(ASM9, Type.getObjectType(node.name),
					(node.superName != null) ? Type.getObjectType(node.superName) : null,
					node.interfaces.stream().map(Type::getObjectType).toList(), (node.access & 0x200) != 0);
		}

		@Override
		protected boolean isSubTypeOf(BasicValue value, BasicValue expected) {
			Type type = Objects.requireNonNull(value.getType());
			Type wanted = Objects.requireNonNull(expected.getType());
			if (wanted.getSort() < Type.ARRAY || type.getSort() < Type.ARRAY || type.equals(NULL_TYPE)) {
				return super.isSubTypeOf(value, expected);
			}
			// What two branches have in common may be no more than an object, or a
			// record.
			return type.getInternalName().startsWith("java/lang/") || isAssignableFrom(wanted, type);
		}

	}

}
