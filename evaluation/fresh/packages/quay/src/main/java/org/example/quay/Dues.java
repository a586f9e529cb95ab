package org.example.quay;

/** What a stay costs. */
public final class Dues {
  private static final long CENTS_FOR_METRE_AND_DAY = 85;
  private static final long HOURS_IN_DAY = 24;

  private Dues() {}

  /** Returns the dues of a stay in cents; a day that has begun is paid. */
  public static long of(Ship ship) {
    long days = (ship.stay() + HOURS_IN_DAY - 1) / HOURS_IN_DAY;
    return days * ship.length() * CENTS_FOR_METRE_AND_DAY;
  }
}
