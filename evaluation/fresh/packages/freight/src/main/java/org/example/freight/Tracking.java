package org.example.freight;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What has happened to packs. */
public final class Tracking {

    /** Something that happened to the pack with an id. */
    public record Event(Instant at, String what) {}

    private final Map<String, List<Event>> events = new HashMap<>();

    public void note(Pack pack, Instant at, String what) {
        events.computeIfAbsent(pack.id(), id -> new ArrayList<>()).add(new Event(at, what));
    }

    /** Returns what has happened to a pack, as it was noted; empty for one that is not known. */
    public List<Event> of(String packId) {
        return List.copyOf(events.getOrDefault(packId, List.of()));
    }
}
