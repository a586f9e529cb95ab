package org.example.freight;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The packs that are here. */
public final class Depot {

    private final Limits limits;
    private final Map<String, Pack> packs = new LinkedHashMap<>();

    public Depot(Limits limits) {
        this.limits = limits;
    }

    /** Stores a pack; throws IllegalArgumentException if it is over the limits or here already. */
    void store(Pack pack) {
        limits.refusal(pack)
                .ifPresent(
                        why -> {
                            throw new IllegalArgumentException(why);
                        });
        if (packs.putIfAbsent(pack.id(), pack) != null) {
            throw new IllegalArgumentException("here already");
        }
    }

    /** Gives a pack out; empty if it is not here. */
    public Optional<Pack> release(String id) {
        return Optional.ofNullable(packs.remove(id));
    }

    /** Returns the packs in the order in which they came. */
    public List<Pack> packs() {
        return List.copyOf(packs.values());
    }
}
