package org.example.freight;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Which pack goes into which cage. */
public final class Sorting {

    private static final int PREFIX = 2;

    private Sorting() {}

    /** Returns packs by their cages, the cages sorted, the packs as they came. */
    public static Map<String, List<Pack>> cages(List<Pack> packs) {
        return packs.stream()
                .collect(
                        Collectors.groupingBy(
                                pack -> cage(pack.to()), TreeMap::new, Collectors.toList()));
    }

    private static String cage(Address to) {
        if (to.isAbroad()) {
            return to.country();
        }
        return to.postcode().substring(0, Math.min(PREFIX, to.postcode().length()));
    }
}
