package org.example.freight;

import java.util.List;
import java.util.stream.Collectors;

/** The paper that a driver has of what is in the van. */
public final class Manifest {

    private Manifest() {}

    /** Returns a line for each pack, and the number and weight of all. */
    public static String of(Van van) {
        List<Pack> packs = van.packs();
        String lines =
                packs.stream()
                        .map(pack -> pack.id() + " " + pack.to().postcode() + "\n")
                        .collect(Collectors.joining());
        int grams = packs.stream().mapToInt(Pack::grams).sum();
        return "%s%d packs, %d g".formatted(lines, packs.size(), grams);
    }
}
