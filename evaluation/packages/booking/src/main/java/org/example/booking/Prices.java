package org.example.booking;

/** What a stay costs. */
public final class Prices {

    private static final int LONG_STAY_NIGHTS = 7;
    private static final int LONG_STAY_PERCENT_OFF = 10;

    private Prices() {}

    /** Returns the price of a stay in cents; from seven nights on it is lower. */
    public static long total(Room room, Stay stay) {
        long full = room.nightCents() * stay.nights();
        if (stay.nights() < LONG_STAY_NIGHTS) {
            return full;
        }
        return full * (100 - LONG_STAY_PERCENT_OFF) / 100;
    }
}
