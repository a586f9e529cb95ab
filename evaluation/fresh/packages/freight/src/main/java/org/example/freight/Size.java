package org.example.freight;

/** What a thing measures, in millimetres. */
public record Size(int lengthMm, int widthMm, int heightMm) {

    private static final double MM3_IN_LITRE = 1_000_000.0;

    public Size {
        if (lengthMm < 1 || widthMm < 1 || heightMm < 1) {
            throw new IllegalArgumentException("a size has no side below 1 mm");
        }
    }

    public int longestMm() {
        return Math.max(lengthMm, Math.max(widthMm, heightMm));
    }

    public double litres() {
        return (double) lengthMm * widthMm * heightMm / MM3_IN_LITRE;
    }
}
