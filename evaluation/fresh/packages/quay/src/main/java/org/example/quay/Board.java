package org.example.quay;

/** What the board at the gate shows. */
public final class Board {
  private Board() {}

  /** Returns a line for a ship that has come. */
  public static String line(Ship ship, int berth) {
    return "%s at %d, for %d h".formatted(ship.name(), berth, ship.stay());
  }
}
