package org.example.freight;

import java.util.Comparator;
import java.util.List;

/** Puts packs into vans. */
public final class Loading {

    private static final Comparator<Pack> HEAVY_FIRST =
            Comparator.comparingInt(Pack::grams).reversed();

    private Loading() {}

    /** Loads the heaviest packs first, each into the first van with room; returns what is left. */
    public static List<Pack> load(List<Pack> packs, List<Van> vans) {
        return packs.stream()
                .sorted(HEAVY_FIRST)
                .filter(pack -> vans.stream().noneMatch(van -> van.load(pack)))
                .toList();
    }
}
