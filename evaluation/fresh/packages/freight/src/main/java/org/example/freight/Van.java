package org.example.freight;

import java.util.ArrayList;
import java.util.List;

/** A van, which carries so many grams. */
public final class Van {

    private final int mostGrams;
    private final List<Pack> packs = new ArrayList<>();
    private int grams;

    public Van(int mostGrams) {
        this.mostGrams = mostGrams;
    }

    /** Puts a pack in, and says whether there was room for it. */
    public boolean load(Pack pack) {
        if (pack.grams() > mostGrams - grams) {
            return false;
        }
        grams += pack.grams();
        return packs.add(pack);
    }

    public List<Pack> packs() {
        return List.copyOf(packs);
    }
}
