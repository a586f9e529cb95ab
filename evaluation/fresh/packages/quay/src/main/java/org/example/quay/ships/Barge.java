package org.example.quay.ships;

import org.example.quay.Ship;

/** A barge: it is unloaded in a day. */
public record Barge(String name, int length) implements Ship {
  @Override
  public long stay() {
    return 24;
  }
}
