package org.example.freight;

import java.util.ArrayList;
import java.util.List;

/** Takes packs in. */
public final class Intake {

    /** How many lines were stored, and those that were not, each with the reason. */
    public record Taken(int stored, List<String> refused) {}

    private final Depot depot;

    public Intake(Depot depot) {
        this.depot = depot;
    }

    /** Stores the packs of some lines; a line that does not fit is passed over. */
    public Taken take(List<String> lines) {
        int stored = 0;
        List<String> refused = new ArrayList<>();
        for (String line : lines) {
            try {
                depot.store(PackReader.read(line));
                stored++;
            } catch (IllegalArgumentException error) {
                refused.add(line + ": " + error.getMessage());
            }
        }
        return new Taken(stored, List.copyOf(refused));
    }
}
