package org.example.freight;

import java.util.Optional;

/** The most that a pack may weigh and measure. */
public record Limits(int mostGrams, int longestMm) {

    public static final Limits STANDARD = new Limits(31_500, 1_200);

    /** Returns why a pack is not taken; empty if it is. */
    public Optional<String> refusal(Pack pack) {
        if (pack.grams() > mostGrams) {
            return Optional.of("heavier than " + mostGrams + " g");
        }
        if (pack.size().longestMm() > longestMm) {
            return Optional.of("longer than " + longestMm + " mm");
        }
        return Optional.empty();
    }
}
