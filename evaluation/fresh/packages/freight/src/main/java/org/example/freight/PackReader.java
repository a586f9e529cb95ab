package org.example.freight;

/** Reads packs from the lines of a customer's file. */
final class PackReader {

    private static final int FIELDS = 7;

    private PackReader() {}

    /** Returns the pack of a line; throws IllegalArgumentException if the line is none. */
    static Pack read(String line) {
        String[] fields = line.strip().split(";", -1);
        if (fields.length != FIELDS) {
            throw new IllegalArgumentException("a pack has " + FIELDS + " fields");
        }
        Size size = new Size(number(fields[2]), number(fields[3]), number(fields[4]));
        return new Pack(fields[0], number(fields[1]), size, new Address(fields[5], fields[6]));
    }

    private static int number(String field) {
        try {
            return Integer.parseInt(field);
        } catch (NumberFormatException error) {
            throw new IllegalArgumentException("no number: " + field, error);
        }
    }
}
