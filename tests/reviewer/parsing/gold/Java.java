package shop.core;

import java.util.List;
import java.util.concurrent.*;
import static java.lang.Math.max;
import static org.junit.Assert.*;

@Entity(name = "item_table")
public abstract class Java<T extends Item> extends Base<T> implements Runnable, java.io.Closeable {
    private static final int LIMIT = max(1, 2), LOW = 0;
    protected List<String> names;

    public enum Color { RED, GREEN(1) { void go() {} }; Color(int... n) {} }

    interface Shape { double area(double scale); int SIDES = 4; }

    record Point(int x, int y) { Point { check(x); } }

    @interface Marker { String value() default "none"; }

    public Java(T item) {
        super(item);
        this.names = new ArrayList<>(LIMIT);
    }

    @Override
    public <R> R run(final int a, String... rest) throws IOException {
        for (String s : names) { s.trim().length(); }
        Runnable r = () -> helper(a);
        names.forEach(Java::print);
        try (Reader in = open()) { in.read(); } catch (Failure e) { throw e; }
        Object o = new Shape() { public double area(double d) { return d * Color.RED.ordinal(); } };
        if (o instanceof Point p) { names[0].value = p.x; }
        int[] counts = new int[LIMIT];
        return (R) o;
    }

    private static void print(String s) { int i = 0, j = i; i++; label: while (true) break label; }
}
