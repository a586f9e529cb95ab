package org.example.quay;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The places at the quay, numbered from 1. Used by one thread. */
public final class Berths {
  private final int count;
  private final Map<Integer, Instant> takenUntil = new HashMap<>();

  public Berths(int count) {
    this.count = count;
  }

  /** Gives a ship the first free place from now on; empty if there is none. */
  public Optional<Integer> give(Ship ship, Instant now) {
    for (int number = 1; number <= count; number++) {
      Instant until = takenUntil.get(number);
      if (until == null || !until.isAfter(now)) {
        takenUntil.put(number, now.plus(ship.stay(), ChronoUnit.HOURS));
        return Optional.of(number);
      }
    }
    return Optional.empty();
  }

  /** Gives a place back early. */
  public void leave(int number) {
    takenUntil.remove(number);
  }
}
